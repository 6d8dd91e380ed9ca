// SPDX-License-Identifier: Apache-2.0
// How the translations of one context bank are invalidated. IHI 0062, "TLB maintenance operations"; which operations: the
// behaviour of Linux 6.1. Nothing here allocates.

import type { LinuxError } from '@irqkit/core';
import { highWord, lowWord } from '@irqkit/bits';
import { TLBIASID, TLBIIPAS2, TLBIIPAS2L, TLBIVA, TLBIVAL, TLBIVA_AARCH32, TLBIVMID } from '../regs.js';
import type { ContextBank } from './context-banks.js';
import { bankOffset, writeDoubleword } from './smmu-unit.js';
import type { SmmuUnit } from './smmu-unit.js';
import type { Tlb } from './tlb.js';

const ADDRESS_UNIT = 0x1000;
/** Entries of a table: more single invalidations take longer than one of everything. */
const MOST_SINGLE = 512;

/** @returns ETIMEDOUT where the SMMU does not follow */
export interface Invalidation {
  /** All translations of the bank's id. @linux arm_smmu_tlb_inv_context_s1, arm_smmu_tlb_inv_context_s2 */
  readonly all: () => LinuxError | undefined;
  /** Those of a range whose entries map `pageBytes` each; `leaf`: tables are as they were. @linux arm_smmu_tlb_inv_range_s1 */
  range(first: number, sizeBytes: number, pageBytes: number, leaf: boolean): LinuxError | undefined;
}

export function invalidationOf(unit: SmmuUnit, tlb: Tlb, bank: ContextBank, stage: 1 | 2): Invalidation {
  if (stage === 1) return stage1(unit, tlb, bank);
  const whole = wholeVmid(unit, tlb, bank);
  return unit.features.architecture === 1 ? whole : stage2(unit, tlb, bank, whole);
}

function stage1(unit: SmmuUnit, tlb: Tlb, { index, asid }: ContextBank): Invalidation {
  const { registers, features } = unit;
  const at = bankOffset(unit, index);
  const asid64 = (asid << (TLBIVA.ASID.lo % 32)) >>> 0;
  const all = (): LinuxError | undefined => {
    registers.write(at + TLBIASID.offset, asid, 4);
    return tlb.syncBank(index);
  };
  const one = (register: number, address: number): void => {
    const page = address / ADDRESS_UNIT;
    if (features.aarch64) writeDoubleword(unit, register, lowWord(page), (asid64 | highWord(page)) >>> 0);
    else registers.write(register, TLBIVA_AARCH32.ASID.set(TLBIVA_AARCH32.VA.set(0, page), asid), 4);
  };
  // TLBIVAL is of SMMUv2.
  const leafOffset = features.architecture === 1 ? TLBIVA.offset : TLBIVAL.offset;
  return {
    all,
    range(first, sizeBytes, pageBytes, leaf) {
      if (sizeBytes / pageBytes > MOST_SINGLE) return all();
      const register = at + (leaf ? leafOffset : TLBIVA.offset);
      for (let address = first; address < first + sizeBytes; address += pageBytes) one(register, address);
      return tlb.syncBank(index);
    },
  };
}

function stage2(unit: SmmuUnit, tlb: Tlb, { index }: ContextBank, { all }: Invalidation): Invalidation {
  const at = bankOffset(unit, index);
  return {
    all,
    range(first, sizeBytes, pageBytes, leaf) {
      if (sizeBytes / pageBytes > MOST_SINGLE) return all();
      const register = at + (leaf ? TLBIIPAS2L.offset : TLBIIPAS2.offset);
      for (let address = first; address < first + sizeBytes; address += pageBytes) {
        const page = address / ADDRESS_UNIT;
        if (unit.features.aarch64) writeDoubleword(unit, register, lowWord(page), highWord(page));
        else unit.registers.write(register, page, 4);
      }
      return tlb.syncBank(index);
    },
  };
}

/** SMMUv1 has nothing smaller at stage 2. @linux arm_smmu_s2_tlb_ops_v1 */
function wholeVmid({ registers }: SmmuUnit, tlb: Tlb, { vmid }: ContextBank): Invalidation {
  const all = (): LinuxError | undefined => {
    registers.write(TLBIVMID.offset, vmid, 4);
    return tlb.syncAll();
  };
  return { all, range: all };
}
