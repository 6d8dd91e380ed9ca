// SPDX-License-Identifier: Apache-2.0
// Global register space 0. Arm IHI 0062, "Global Register Space 0".

import type { Field } from '@irqkit/bits';
import type { ModelLog } from '@irqkit/core';
import {
  ACR,
  CR0,
  CR2,
  GFAR,
  GFSR,
  GFSRRESTORE,
  GFSYNR0,
  GFSYNR1,
  IDR0,
  IDR1,
  IDR2,
  IDR7,
  S2CR,
  SMR,
  SMR_EXTENDED,
  TLBGSTATUS,
  TLBGSYNC,
  TLBIALLH,
  TLBIALLNSNH,
  TLBIVMID,
} from '../regs.js';
import type { SmmuParts } from './smmu-parts.js';
import type { SmmuRegisters } from './smmu-registers.js';

const HIGH = 4;
/** The bits of a register that have a name. */
function fieldsOf(register: Readonly<Record<string, number | Field>>): number {
  return Object.values(register).reduce<number>(
    (mask, part) => (typeof part === 'function' ? mask | part.mask : mask),
    0,
  );
}
/** Nothing stalls here, so that no stall is forced. */
const CR0_FIELDS = fieldsOf(CR0) & ~CR0.GSE.mask;
const S2CR_FIELDS = fieldsOf(S2CR);
const GFSR_FIELDS = fieldsOf(GFSR);
const GFSYNR0_FIELDS = fieldsOf(GFSYNR0);

export class GlobalSpace0 {
  readonly #registers: SmmuRegisters;
  readonly #parts: SmmuParts;
  readonly #log: ModelLog;
  readonly #cr0Fields: number;

  constructor(registers: SmmuRegisters, parts: SmmuParts, log: ModelLog) {
    this.#registers = registers;
    this.#parts = parts;
    this.#log = log;
    const { extendedIds, vmid16 } = registers.parameters;
    const missing = (extendedIds ? 0 : CR0.EXIDENABLE.mask) | (vmid16 ? 0 : CR0.VMID16EN.mask);
    this.#cr0Fields = CR0_FIELDS & ~missing;
  }

  read(at: number): number {
    const registers = this.#registers;
    const { parameters } = registers;
    switch (at) {
      case CR0.offset:
        return registers.cr0;
      case CR2.offset:
        return registers.cr2;
      case ACR.offset:
        return registers.acr;
      case IDR0.offset:
        return parameters.idr0;
      case IDR1.offset:
        return parameters.idr1;
      case IDR2.offset:
        return parameters.idr2;
      case IDR7.offset:
        return parameters.idr7;
      case GFAR.offset:
        return registers.gfar[0];
      case GFAR.offset + HIGH:
        return registers.gfar[1];
      case GFSR.offset:
        return registers.gfsr;
      case GFSYNR0.offset:
        return registers.gfsynr0;
      case GFSYNR1.offset:
        return registers.gfsynr1;
      case TLBGSTATUS.offset:
        return 0;
      default:
        return at >= SMR.offset ? this.#group(at) : 0;
    }
  }

  write(at: number, value: number): void {
    const registers = this.#registers;
    const { translation, invalidations, interrupts } = this.#parts;
    switch (at) {
      case CR0.offset:
        registers.cr0 = (value & this.#cr0Fields) >>> 0;
        translation.forgetStreams();
        return interrupts.updateGlobal();
      case CR2.offset:
        registers.cr2 = CR2.BPVMID.set(0, value);
        return;
      case ACR.offset:
        registers.acr = value;
        return;
      case GFAR.offset:
        registers.gfar[0] = value;
        return;
      case GFAR.offset + HIGH:
        registers.gfar[1] = value;
        return;
      case GFSR.offset:
        registers.gfsr = (registers.gfsr & ~value) >>> 0;
        return interrupts.updateGlobal();
      case GFSRRESTORE.offset:
        registers.gfsr = (value & GFSR_FIELDS) >>> 0;
        return interrupts.updateGlobal();
      case GFSYNR0.offset:
        registers.gfsynr0 = value & GFSYNR0_FIELDS;
        return;
      case GFSYNR1.offset:
        registers.gfsynr1 = value;
        return;
      case TLBIVMID.offset:
        return invalidations.ofVmid(this.#vmid(value));
      case TLBIALLNSNH.offset:
      case TLBIALLH.offset:
        return invalidations.everything();
      case TLBGSYNC.offset:
        return;
      default:
        if (at >= SMR.offset) return this.#setGroup(at, value);
        this.#log.guest('SMMU write to 0x%x of global space 0, which is read-only or reserved', at);
    }
  }

  #vmid(value: number): number {
    const wide = this.#registers.parameters.vmid16 && CR0.VMID16EN(this.#registers.cr0) === 1;
    return wide ? TLBIVMID.VMID(value) : TLBIVMID.VMID(value) & 0xff;
  }

  #group(at: number): number {
    const { smr, s2cr, parameters } = this.#registers;
    if (at >= S2CR.offset) return s2cr[(at - S2CR.offset) / 4] ?? 0;
    return parameters.streamMatching ? (smr[(at - SMR.offset) / 4] ?? 0) : 0;
  }

  #setGroup(at: number, value: number): void {
    const { smr, s2cr, parameters, extendedIds } = this.#registers;
    const mapping = at >= S2CR.offset;
    const group = (at - (mapping ? S2CR.offset : SMR.offset)) / 4;
    if (group >= parameters.nrStreamGroups || !(mapping || parameters.streamMatching))
      return this.#log.guest('SMMU write to stream group %d, which is not there', group);
    if (mapping) s2cr[group] = value & S2CR_FIELDS & ~(parameters.extendedIds ? 0 : S2CR.EXIDVALID.mask);
    else {
      const { ID, MASK } = extendedIds ? SMR_EXTENDED : SMR;
      const implemented = ID.set(0, parameters.smrId) | MASK.set(0, parameters.smrMask);
      smr[group] = value & (implemented | (extendedIds ? 0 : SMR.VALID.mask));
    }
    this.#parts.translation.forgetStreams();
  }
}
