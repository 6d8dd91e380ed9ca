// SPDX-License-Identifier: Apache-2.0
// The register space of one context bank. Arm IHI 0062, "Translation Context Bank".

import type { ModelLog } from '@irqkit/core';
import {
  ACR,
  ACTLR,
  ATS1PR,
  ATSR,
  CBAR_TYPE,
  CONTEXTIDR,
  FAR,
  FSR,
  FSRRESTORE,
  FSYNR0,
  FSYNR1,
  IPAFAR,
  MAIR0,
  MAIR1,
  PAR,
  RESUME,
  SCTLR,
  TCR,
  TCR2,
  TLBIALL,
  TLBIASID,
  TLBIIPAS2,
  TLBIIPAS2L,
  TLBIVA,
  TLBIVAA,
  TLBIVAAL,
  TLBIVAL,
  TLBSYNC,
  TTBR0,
  TTBR1,
} from '../regs.js';
import { FSR_FAULTS, LATCH_WORD } from './smmu-registers.js';
import type { SmmuParts } from './smmu-parts.js';
import type { SmmuRegisters } from './smmu-registers.js';

const HIGH = 4;
// UNIMP: stalled transactions (SCTLR.CFCFG)
const SCTLR_FIELDS = ~SCTLR.CFCFG.mask;
const FSR_FIELDS = [FSR.TF, FSR.AFF, FSR.PF, FSR.EF, FSR.TLBMCF, FSR.TLBLKF, FSR.ASF, FSR.UUT, FSR.FORMAT].reduce(
  (mask, one) => mask | one.mask,
  FSR.MULTI.mask,
);

export class BankSpace {
  readonly #registers: SmmuRegisters;
  readonly #parts: SmmuParts;
  readonly #log: ModelLog;

  constructor(registers: SmmuRegisters, parts: SmmuParts, log: ModelLog) {
    this.#registers = registers;
    this.#parts = parts;
    this.#log = log;
  }

  read(bank: number, at: number): number {
    switch (at) {
      case SCTLR.offset:
      case ACTLR.offset:
      case TCR2.offset:
      case TTBR0.offset:
      case TTBR0.offset + HIGH:
      case TTBR1.offset:
      case TTBR1.offset + HIGH:
      case TCR.offset:
      case CONTEXTIDR.offset:
      case MAIR0.offset:
      case MAIR1.offset:
      case PAR.offset:
      case PAR.offset + HIGH:
      case FSR.offset:
      case FAR.offset:
      case FAR.offset + HIGH:
      case FSYNR0.offset:
      case FSYNR1.offset:
      case IPAFAR.offset:
      case IPAFAR.offset + HIGH:
        return this.#registers.bank(bank)[at / 4];
      default:
        return 0;
    }
  }

  write(bank: number, at: number, value: number): void {
    const words = this.#registers.bank(bank);
    const { translation, interrupts } = this.#parts;
    switch (at) {
      case SCTLR.offset:
        if (SCTLR.CFCFG(value) === 1) this.#log.unimp('SCTLR.CFCFG: faulting transactions are terminated');
        if (SCTLR.E(value) === 1) this.#log.unimp('SCTLR.E: tables are read as little-endian ones');
        words[at / 4] = value & SCTLR_FIELDS;
        interrupts.updateBank(bank);
        return translation.forgetStreams();
      case ACTLR.offset:
        return this.#setActlr(words, value);
      case RESUME.offset:
        return this.#log.guest('RESUME of bank %d, where nothing is stalled', bank);
      case TCR2.offset:
      case TTBR0.offset:
      case TTBR0.offset + HIGH:
      case TTBR1.offset:
      case TTBR1.offset + HIGH:
      case TCR.offset:
        words[at / 4] = value;
        return translation.forgetStreams();
      case CONTEXTIDR.offset:
      case MAIR0.offset:
      case MAIR1.offset:
      case PAR.offset:
      case PAR.offset + HIGH:
      case FAR.offset:
      case FAR.offset + HIGH:
      case FSYNR0.offset:
      case FSYNR1.offset:
      case IPAFAR.offset:
      case IPAFAR.offset + HIGH:
        words[at / 4] = value;
        return;
      case FSR.offset:
        return this.#setFsr(bank, words[FSR.offset / 4] & ~(value & FSR_FAULTS));
      case FSRRESTORE.offset:
        return this.#setFsr(bank, value & FSR_FIELDS);
      case TLBSYNC.offset:
        return;
      default:
        this.#operate(bank, at, value);
    }
  }

  /** An operation on one 64-bit operand. True where there is such a one at `at`. */
  write64(bank: number, at: number, lo: number, hi: number): boolean {
    const { invalidations } = this.#parts;
    switch (at) {
      case TLBIVA.offset:
      case TLBIVAL.offset:
        if (this.#hasStage(bank, at, 1)) invalidations.ofAddress(bank, lo, hi, false);
        return true;
      case TLBIVAA.offset:
      case TLBIVAAL.offset:
        if (this.#hasStage(bank, at, 1)) invalidations.ofAddress(bank, lo, hi, true);
        return true;
      case TLBIIPAS2.offset:
      case TLBIIPAS2L.offset:
        if (this.#hasStage(bank, at, 2)) invalidations.ofIpa(bank, lo, hi);
        return true;
      default:
        return false;
    }
  }

  /** CHOICE: a word written to the upper half of an operand is kept for the next one written to a lower half, which operates. */
  #operate(bank: number, at: number, value: number): void {
    const words = this.#registers.bank(bank);
    const { invalidations } = this.#parts;
    switch (at) {
      case TLBIASID.offset:
        if (this.#hasStage(bank, at, 1)) invalidations.ofAsid(bank, TLBIASID.ASID(value));
        return;
      case TLBIALL.offset:
        return invalidations.ofBank(bank);
      case TLBIVA.offset + HIGH:
      case TLBIVAA.offset + HIGH:
      case TLBIVAL.offset + HIGH:
      case TLBIVAAL.offset + HIGH:
      case TLBIIPAS2.offset + HIGH:
      case TLBIIPAS2L.offset + HIGH:
        words[LATCH_WORD] = value;
        return;
      default:
        if (this.write64(bank, at, value, words[LATCH_WORD])) words[LATCH_WORD] = 0;
        // UNIMP: address translation operations (ATS1*, PAR)
        else if (at >= ATS1PR.offset && at < ATSR.offset) this.#log.unimp('ATS1* at 0x%x: PAR is not filled', at);
        else this.#log.guest('SMMU write to 0x%x of a context bank, which is read-only or reserved', at);
    }
  }

  #setFsr(bank: number, value: number): void {
    const words = this.#registers.bank(bank);
    words[FSR.offset / 4] = (value & FSR_FAULTS) === 0 ? 0 : value;
    this.#parts.interrupts.updateBank(bank);
    this.#parts.translation.forgetStreams();
  }

  // CHOICE: ACR.CACHE_LOCK keeps ACTLR.CPRE as it is in every profile, as it does in an MMU-500.
  #setActlr(words: Uint32Array, value: number): void {
    const kept = ACR.CACHE_LOCK(this.#registers.acr) === 1 ? ACTLR.CPRE.mask : 0;
    words[ACTLR.offset / 4] = (value & ~kept) | (words[ACTLR.offset / 4] & kept);
  }

  #hasStage(bank: number, at: number, stage: 1 | 2): boolean {
    const has = (this.#registers.typeOf(bank) === CBAR_TYPE.STAGE2 ? 2 : 1) === stage;
    if (!has) this.#log.guest('TLB operation 0x%x on bank %d, which has not stage %d', at, bank, stage);
    return has;
  }
}
