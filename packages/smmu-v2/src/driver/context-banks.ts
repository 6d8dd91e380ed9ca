// SPDX-License-Identifier: Apache-2.0
// Which context banks are taken, and what they hold. IHI 0062, SMMU_CBARn, SMMU_CBA2Rn and "Translation context banks"; the
// choice of bank, ids and the order of writes: the behaviour of Linux 6.1.

import { LinuxError } from '@irqkit/core';
import { CBA2R, CBAR, FSR, MAIR0, MAIR1, SCTLR, TCR, TCR2, TTBR0, TTBR1 } from '../regs.js';
import type { ContextBankValues } from './context-bank-values.js';
import { bankOffset, writeDoubleword } from './smmu-unit.js';
import type { SmmuUnit } from './smmu-unit.js';
import type { Tlb } from './tlb.js';

export interface ContextBank {
  readonly index: number;
  /** Of the SMMU's context interrupts. */
  readonly interrupt: number;
  readonly asid: number;
  readonly vmid: number;
}

/** Every bit that tells of a fault, or of more than one. @linux ARM_SMMU_FSR_FAULT */
const ALL_FAULTS =
  (FSR.TF.mask |
    FSR.AFF.mask |
    FSR.PF.mask |
    FSR.EF.mask |
    FSR.TLBMCF.mask |
    FSR.TLBLKF.mask |
    FSR.ASF.mask |
    FSR.UUT.mask |
    FSR.SS.mask |
    FSR.MULTI.mask) >>>
  0;

export class ContextBanks {
  readonly #unit: SmmuUnit;
  readonly #tlb: Tlb;
  readonly #taken: boolean[];
  readonly #nrInterrupts: number;
  /** Of the ids of this SMMU, where others must not have them too. */
  readonly #firstId: number;
  #nextInterrupt = 0;

  /** `firstId`: 0 where ids are this SMMU's own. */
  constructor(unit: SmmuUnit, tlb: Tlb, nrInterrupts: number, firstId: number) {
    this.#unit = unit;
    this.#tlb = tlb;
    this.#taken = Array<boolean>(unit.features.nrContextBanks).fill(false);
    this.#nrInterrupts = nrInterrupts;
    this.#firstId = firstId;
  }

  /** Disables every bank, with no fault pending. */
  reset(): void {
    for (let bank = 0; bank < this.#taken.length; bank++) {
      this.disable(bank);
      this.#unit.registers.write(bankOffset(this.#unit, bank) + FSR.offset, ALL_FAULTS, 4);
    }
  }

  /** @throws LinuxError ENOSPC where all for this stage are taken @linux arm_smmu_init_domain_context */
  take(stage: 1 | 2): ContextBank {
    const { path, features } = this.#unit;
    const first = stage === 1 ? features.nrStage2Banks : 0;
    let index = this.#taken.indexOf(false, first);
    if (index < 0 && this.#tlb.isAwaited && !this.#tlb.syncAll()) index = this.#taken.indexOf(false, first);
    if (index < 0) throw new LinuxError('ENOSPC', `${path}: no context bank left for stage ${stage}`);
    this.#taken[index] = true;
    const interrupt = features.architecture === 2 ? index : this.#nextInterrupt++ % this.#nrInterrupts;
    return { index, interrupt, asid: this.#firstId + index, vmid: this.#firstId + index + 1 };
  }

  /** Gives a disabled bank back whose ids no TLB knows any more. */
  release({ index }: ContextBank): void {
    this.#taken[index] = false;
  }

  /** @linux arm_smmu_write_context_bank */
  enable({ index }: ContextBank, values: ContextBankValues): void {
    const { registers, features } = this.#unit;
    const space1 = features.layout.globalSpace1 + 4 * index;
    const bank = bankOffset(this.#unit, index);
    if (features.architecture === 2) registers.write(space1 + CBA2R.offset, values.cba2r, 4);
    registers.write(space1 + CBAR.offset, values.cbar, 4);
    if (values.tcr2 !== undefined) registers.write(bank + TCR2.offset, values.tcr2, 4);
    registers.write(bank + TCR.offset, values.tcr, 4);
    writeDoubleword(this.#unit, bank + TTBR0.offset, values.ttbr0[0], values.ttbr0[1]);
    if (values.ttbr1) writeDoubleword(this.#unit, bank + TTBR1.offset, values.ttbr1[0], values.ttbr1[1]);
    if (values.mair) {
      registers.write(bank + MAIR0.offset, values.mair[0], 4);
      registers.write(bank + MAIR1.offset, values.mair[1], 4);
    }
    registers.write(bank + SCTLR.offset, values.sctlr, 4);
  }

  /** What goes to a disabled bank is not translated; nothing does. */
  disable(bank: number): void {
    this.#unit.registers.write(bankOffset(this.#unit, bank) + SCTLR.offset, 0, 4);
  }
}
