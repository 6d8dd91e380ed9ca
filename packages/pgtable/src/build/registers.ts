// SPDX-License-Identifier: Apache-2.0
// What points hardware to a page table. Encodings: Arm DDI 0487, TCR_EL1 and VTCR_EL2; choices: Linux 6.1.

import type { PhysAddr } from '@irqkit/core';
import { SHAREABILITY } from '../descriptors.js';
import type { Geometry } from './geometry.js';
import { MAIR } from './leaf-attributes.js';
import type { Stage1Registers, Stage2Registers } from './page-table.js';

/** TG0, by log2 of a page's bytes. */
const TG0: Readonly<Record<number, number>> = { 12: 0b00, 14: 0b10, 16: 0b01 };
/** IPS and PS, by output address bits. */
const PS: Readonly<Record<number, number>> = { 32: 0, 36: 1, 40: 2, 42: 3, 44: 4, 48: 5, 52: 6 };
/** IRGN0 and ORGN0. */
const RGN = { NON_CACHEABLE: 0b00, WRITE_BACK_WRITE_ALLOCATE: 0b01 } as const;

/** @linux arm_64_lpae_alloc_pgtable_s1, arm_64_lpae_alloc_pgtable_s2 */
export function registersOf(
  stage: 1 | 2,
  { iasBits, oasBits, pageBits, startLevel }: Geometry,
  base: PhysAddr,
  coherentWalk: boolean,
): Stage1Registers | Stage2Registers {
  const cacheability = coherentWalk ? RGN.WRITE_BACK_WRITE_ALLOCATE : RGN.NON_CACHEABLE;
  const walks = {
    T0SZ: 64 - iasBits,
    TG0: TG0[pageBits],
    IRGN0: cacheability,
    ORGN0: cacheability,
    SH0: coherentWalk ? SHAREABILITY.INNER : SHAREABILITY.OUTER,
  };
  if (stage === 1) return { stage, ttbr: base, ...walks, IPS: PS[oasBits], mair: MAIR };
  return { stage, vttbr: base, ...walks, SL0: (pageBits === 12 ? 2 : 3) - startLevel, PS: PS[oasBits] };
}
