// SPDX-License-Identifier: Apache-2.0
// What each command does. Arm IHI 0070, chapter 4 "Commands".

import type { ModelLog } from '@irqkit/core';
import {
  CMD_ATC_INV,
  CMD_CFGI_CD,
  CMD_CFGI_CD_ALL,
  CMD_CFGI_STE,
  CMD_CFGI_STE_RANGE,
  CMD_CFGI_VMS_PIDM,
  CMD_PREFETCH_ADDR,
  CMD_PREFETCH_CONFIG,
  CMD_PRI_RESP,
  CMD_RESUME,
  CMD_STALL_TERM,
  CMD_SYNC,
  CMD_TLBI_EL2_ALL,
  CMD_TLBI_EL2_ASID,
  CMD_TLBI_EL2_VA,
  CMD_TLBI_EL2_VAA,
  CMD_TLBI_NH_ALL,
  CMD_TLBI_NH_ASID,
  CMD_TLBI_NH_VA,
  CMD_TLBI_NH_VAA,
  CMD_TLBI_NSNH_ALL,
  CMD_TLBI_S12_VMALL,
  CMD_TLBI_S2_IPA,
  commandOpcode,
  SSec,
  SYNC_CS,
} from '../commands.js';
import { CERROR, GERROR, IDR0, IDR0_STALL_MODEL, IDR3 } from '../regs.js';
import type { SmmuParameters } from '../silicon.js';
import type { GlobalErrors } from './global-errors.js';
import type { Interrupts } from './interrupts.js';
import { EL2_KINDS, Invalidations, NESTED_KIND, STAGE1_KINDS, STAGE2_KIND } from './invalidations.js';
import { SPACE_KIND } from './stream-context.js';
import type { Translation } from './translation.js';

const EL2_E2H_KIND = 1 << SPACE_KIND.EL2_E2H;

export class CommandSet {
  readonly invalidations: Invalidations;
  readonly #parameters: SmmuParameters;
  readonly #translation: Translation;
  readonly #interrupts: Interrupts;
  readonly #errors: GlobalErrors;
  readonly #log: ModelLog;
  /** A CMD_SYNC that signals its completion once it is consumed. */
  #pending = false;
  #msiAddress = 0;
  #msiData = 0;

  constructor(
    parameters: SmmuParameters,
    translation: Translation,
    interrupts: Interrupts,
    errors: GlobalErrors,
    log: ModelLog,
  ) {
    this.invalidations = new Invalidations(translation.iotlb, parameters);
    this.#parameters = parameters;
    this.#translation = translation;
    this.#interrupts = interrupts;
    this.#errors = errors;
    this.#log = log;
  }

  /** Gives a CERROR. */
  run(command: Uint32Array): number {
    const opcode = commandOpcode(command);
    const namesStream = opcode < CMD_TLBI_NH_ALL.opcode || (opcode >= CMD_ATC_INV.opcode && opcode < CMD_SYNC.opcode);
    if (namesStream && SSec(command) === 1) return CERROR.ILL;
    switch (opcode) {
      case CMD_PREFETCH_CONFIG.opcode:
      case CMD_PREFETCH_ADDR.opcode:
        return CERROR.NONE;
      case CMD_CFGI_STE.opcode:
        return this.#dropStreams(CMD_CFGI_STE.StreamID(command), 0);
      case CMD_CFGI_STE_RANGE.opcode:
        return this.#dropStreams(CMD_CFGI_STE_RANGE.StreamID(command), CMD_CFGI_STE_RANGE.Range(command) + 1);
      case CMD_CFGI_CD.opcode:
        return this.#dropContext(command);
      case CMD_CFGI_CD_ALL.opcode:
        return this.#parameters.s1p ? this.#dropStreams(CMD_CFGI_CD_ALL.StreamID(command), 0) : CERROR.ILL;
      case CMD_CFGI_VMS_PIDM.opcode:
        return IDR3.MPAM(this.#parameters.idr3) === 1 ? CERROR.NONE : CERROR.ILL;
      case CMD_ATC_INV.opcode:
        // UNIMP: ATS
        return this.#parameters.ats ? CERROR.NONE : CERROR.ILL;
      case CMD_PRI_RESP.opcode:
        // UNIMP: PRI
        return this.#parameters.pri ? CERROR.NONE : CERROR.ILL;
      case CMD_RESUME.opcode:
      case CMD_STALL_TERM.opcode:
        return this.#answerStall(command);
      case CMD_SYNC.opcode:
        return this.#sync(command);
      default:
        return this.#tlbi(opcode, command);
    }
  }

  /** After the command was consumed: what a CMD_SYNC asked for. */
  signal(): void {
    if (!this.#pending) return;
    this.#pending = false;
    this.#interrupts.pulse('cmdq-sync');
    if (!this.#parameters.msi || this.#msiAddress === 0) return;
    if (!this.#interrupts.send(this.#msiAddress, this.#msiData)) this.#errors.activate(GERROR.MSI_CMDQ_ABT_ERR.mask);
  }

  #tlbi(opcode: number, command: Uint32Array): number {
    const { s1p, s2p, hyp } = this.#parameters;
    const tlb = this.invalidations;
    const vmid = CMD_TLBI_NH_VA.VMID(command);
    const asid = CMD_TLBI_NH_VA.ASID(command);
    switch (opcode) {
      case CMD_TLBI_NH_ALL.opcode:
        return s1p ? tlb.all(STAGE1_KINDS, vmid) : CERROR.ILL;
      case CMD_TLBI_NH_ASID.opcode:
        return s1p ? tlb.all(STAGE1_KINDS, vmid, asid) : CERROR.ILL;
      case CMD_TLBI_NH_VA.opcode:
        return s1p ? tlb.byAddress(command, STAGE1_KINDS, vmid, asid) : CERROR.ILL;
      case CMD_TLBI_NH_VAA.opcode:
        return s1p ? tlb.byAddress(command, STAGE1_KINDS, vmid) : CERROR.ILL;
      case CMD_TLBI_EL2_ALL.opcode:
        return s1p && hyp ? tlb.all(EL2_KINDS) : CERROR.ILL;
      case CMD_TLBI_EL2_ASID.opcode:
        return s1p && hyp ? tlb.all(EL2_E2H_KIND, -1, asid) : CERROR.ILL;
      case CMD_TLBI_EL2_VA.opcode:
      case CMD_TLBI_EL2_VAA.opcode:
        return s1p && hyp ? tlb.byAddress(command, EL2_KINDS) : CERROR.ILL;
      case CMD_TLBI_S12_VMALL.opcode:
        return s2p ? tlb.all(STAGE1_KINDS | STAGE2_KIND, vmid) : CERROR.ILL;
      case CMD_TLBI_S2_IPA.opcode:
        return s2p ? this.#dropStage2(command, vmid) : CERROR.ILL;
      case CMD_TLBI_NSNH_ALL.opcode:
        return tlb.all(STAGE1_KINDS | STAGE2_KIND);
      default:
        return CERROR.ILL;
    }
  }

  // CHOICE: translations of both stages in one hold no IPA, and all of the VMID go with any of its IPAs.
  #dropStage2(command: Uint32Array, vmid: number): number {
    this.invalidations.all(NESTED_KIND, vmid);
    return this.invalidations.byAddress(command, STAGE2_KIND, vmid);
  }

  /** 2^log2Count StreamIDs, aligned. A descriptor goes with its entry. */
  #dropStreams(sid: number, log2Count: number): number {
    const count = 2 ** log2Count;
    const first = sid - (sid % count);
    this.#translation.streams.drop(first, first + count - 1);
    return CERROR.NONE;
  }

  #dropContext(command: Uint32Array): number {
    if (!this.#parameters.s1p) return CERROR.ILL;
    this.#translation.streams.dropSubstream(CMD_CFGI_CD.StreamID(command), CMD_CFGI_CD.SubstreamID(command));
    return CERROR.NONE;
  }

  // UNIMP: stalled transactions
  #answerStall(command: Uint32Array): number {
    const model = IDR0.STALL_MODEL(this.#parameters.idr0);
    if (model === IDR0_STALL_MODEL.TERMINATE) return CERROR.ILL;
    this.#log.guest('CMD_RESUME or CMD_STALL_TERM for StreamID 0x%x: nothing is stalled', CMD_RESUME.StreamID(command));
    return CERROR.NONE;
  }

  #sync(command: Uint32Array): number {
    switch (CMD_SYNC.CS(command)) {
      case SYNC_CS.NONE:
        return CERROR.NONE;
      case SYNC_CS.IRQ:
        this.#pending = true;
        this.#msiAddress = CMD_SYNC.MSIAddress(command);
        this.#msiData = CMD_SYNC.MSIData(command);
        return CERROR.NONE;
      case SYNC_CS.SEV:
        // UNIMP: wake-up events (SEV)
        if (IDR0.SEV(this.#parameters.idr0) === 1) this.#log.unimp('CMD_SYNC: no event is sent to the processors');
        return CERROR.NONE;
      default:
        return CERROR.ILL;
    }
  }
}
