// SPDX-License-Identifier: Apache-2.0
// Global register space 1. Arm IHI 0062, "Global Register Space 1".

import type { ModelLog } from '@irqkit/core';
import { ARCHITECTURE, CBA2R, CBAR, CBFRSYNRA } from '../regs.js';
import type { SmmuParts } from './smmu-parts.js';
import type { SmmuRegisters } from './smmu-registers.js';

export class GlobalSpace1 {
  readonly #registers: SmmuRegisters;
  readonly #parts: SmmuParts;
  readonly #log: ModelLog;
  /** In SMMUv2 bits [31:24] of CBAR are reserved. */
  readonly #cbarFields: number;
  readonly #cba2rFields: number;

  constructor(registers: SmmuRegisters, parts: SmmuParts, log: ModelLog) {
    this.#registers = registers;
    this.#parts = parts;
    this.#log = log;
    const { version, va64, vmid16 } = registers.parameters;
    this.#cbarFields = version >= ARCHITECTURE.V2 ? ~CBAR.IRPTNDX.mask : -1;
    this.#cba2rFields = (va64 ? CBA2R.VA64.mask : 0) | (vmid16 ? CBA2R.VMID16.mask : 0);
  }

  read(at: number): number {
    const { cbar, cbfrsynra, cba2r } = this.#registers;
    const index = (at % CBFRSYNRA.offset) / 4;
    switch (at - (at % CBFRSYNRA.offset)) {
      case CBAR.offset:
        return index < cbar.length ? this.#cbar(index) : 0;
      case CBFRSYNRA.offset:
        return cbfrsynra[index] ?? 0;
      case CBA2R.offset:
        return cba2r[index] ?? 0;
      default:
        return 0;
    }
  }

  write(at: number, value: number): void {
    const { cbar, cbfrsynra, cba2r } = this.#registers;
    const index = (at % CBFRSYNRA.offset) / 4;
    if (index >= cbar.length)
      return this.#log.guest('SMMU write to 0x%x of global space 1, of a bank that is not there', at);
    switch (at - (at % CBFRSYNRA.offset)) {
      case CBAR.offset:
        // UNIMP: hypervisor and monitor contexts (CBAR.HYPC, CBA2R.MONC)
        if (CBAR.HYPC(value) === 1 && CBAR.TYPE(value) === 1) this.#log.unimp('CBAR.HYPC: translates as others do');
        cbar[index] = value & this.#cbarFields;
        break;
      case CBFRSYNRA.offset:
        cbfrsynra[index] = value;
        return;
      case CBA2R.offset:
        cba2r[index] = value & this.#cba2rFields;
        break;
      default:
        return this.#log.guest('SMMU write to 0x%x of global space 1, which is reserved', at);
    }
    this.#parts.translation.forgetStreams();
    this.#parts.interrupts.updateAll();
  }

  /** TYPE of a bank that has stage 2 alone says so whatever was written. */
  #cbar(index: number): number {
    return CBAR.TYPE.set(this.#registers.cbar[index], this.#registers.typeOf(index));
  }
}
