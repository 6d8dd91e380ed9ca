// SPDX-License-Identifier: Apache-2.0
// What is done about faults: the registers are read and cleared, listeners and the log are told. Order: Linux 6.1
// arm_smmu_context_fault, arm_smmu_global_fault.

import { CBFRSYNRA, FAR, FSR, FSYNR0, GFAR, GFSR, GFSYNR0, GFSYNR1 } from '../regs.js';
import type { Masters } from './masters.js';
import { decodeContextFault, decodeGlobalFault, describeFault } from './smmu-fault.js';
import type { FaultSource, SmmuFault } from './smmu-fault.js';
import { bankOffset, readDoubleword } from './smmu-unit.js';
import type { SmmuUnit } from './smmu-unit.js';

export type FaultListener = (fault: SmmuFault) => void;

export class FaultReports {
  readonly #unit: SmmuUnit;
  readonly #masters: Masters;
  readonly #listeners = new Set<FaultListener>();

  constructor(unit: SmmuUnit, masters: Masters) {
    this.#unit = unit;
    this.#masters = masters;
  }

  add(listener: FaultListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** False where the bank tells of none. @linux arm_smmu_context_fault */
  serveBank(bank: number): boolean {
    const { registers, features } = this.#unit;
    const at = bankOffset(this.#unit, bank);
    const fsr = registers.read(at + FSR.offset, 4);
    // The format of its tables is no fault.
    if (FSR.FORMAT.set(fsr, 0) === 0) return false;
    const fsynr0 = registers.read(at + FSYNR0.offset, 4);
    const far = readDoubleword(this.#unit, at + FAR.offset);
    const synra = registers.read(features.layout.globalSpace1 + CBFRSYNRA.offset + 4 * bank, 4);
    const source = this.#source(CBFRSYNRA.StreamID(synra));
    registers.write(at + FSR.offset, fsr, 4);
    this.#tell(decodeContextFault({ bank, fsr, fsynr0, far }, source));
    return true;
  }

  /** False where there is none. @linux arm_smmu_global_fault */
  serveGlobal(): boolean {
    const { registers } = this.#unit;
    const gfsr = registers.read(GFSR.offset, 4);
    if (gfsr === 0) return false;
    const gfsynr0 = registers.read(GFSYNR0.offset, 4);
    const source = this.#source(GFSYNR1.StreamID(registers.read(GFSYNR1.offset, 4)));
    const gfar = readDoubleword(this.#unit, GFAR.offset);
    registers.write(GFSR.offset, gfsr, 4);
    this.#tell(decodeGlobalFault({ gfsr, gfsynr0, gfar }, source));
    return true;
  }

  #source(streamId: number): FaultSource {
    return { streamId, device: this.#masters.deviceOf(streamId) };
  }

  #tell(fault: SmmuFault): void {
    const { path, log } = this.#unit;
    log.warn(`${path}: ${describeFault(fault)}`);
    for (const listener of this.#listeners) listener(fault);
  }
}
