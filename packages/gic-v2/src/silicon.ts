// SPDX-License-Identifier: Apache-2.0
// What firmware does not say of a GICv2: profiles per implementation, and the model's reading of them.

import type { Silicon } from '@irqkit/core';
import { GICD_TYPER, NR_INTIDS } from './regs.js';

/**
 * The GICv2 of QEMU's `virt` (arm_gic, revision 2), as its registers read under QEMU 7.2: 256 SPIs, priorities of 8 bits,
 * SGIs, PPIs and SPIs programmable.
 */
export const VIRT_SILICON = {
  nrIrqs: 288,
  SecurityExtn: 0,
  PriorityBits: 8,
  GICD_IIDR: 0x0000_043b,
  GICC_IIDR: 0x0002_043b,
} as const satisfies Silicon;

/**
 * CoreLink GIC-400 r0p1 (Arm DDI 0471B, "Distributor register summary" and "CPU interface register summary"): 32 levels of
 * priority. The number of SPIs is the integrator's: QEMU's stands in for it.
 */
export const GIC400_SILICON = {
  ...VIRT_SILICON,
  SecurityExtn: 1,
  PriorityBits: 5,
  GICD_IIDR: 0x0200_143b,
  GICC_IIDR: 0x0202_143b,
} as const satisfies Silicon;

/** A GICv2's parameters, checked and completed. */
export interface GicV2Parameters {
  /** INTIDs, SGIs and PPIs included: a multiple of 32, or 1020. */
  readonly nrIrqs: number;
  readonly securityExtn: number;
  /** Implemented bits of each priority, from the top: 4 to 8. */
  readonly priorityBits: number;
  readonly gicdIidr: number;
  readonly giccIidr: number;
}

/**
 * Reads `nrIrqs`, `SecurityExtn`, `PriorityBits`, `GICD_IIDR` and `GICC_IIDR`; a `GICD_TYPER` as read from real silicon
 * stands before the first two. What is missing is VIRT_SILICON's; what no GICv2 can have is cut to what it can.
 */
export function parametersOf(silicon: Silicon): GicV2Parameters {
  const values = { ...VIRT_SILICON, ...silicon } as Silicon;
  const typer = silicon.GICD_TYPER as number | undefined;
  const nrIrqs = typer === undefined ? values.nrIrqs : (GICD_TYPER.ITLinesNumber(typer) + 1) * 32;
  return {
    nrIrqs: Math.min(Math.max(Math.ceil(nrIrqs / 32), 1) * 32, NR_INTIDS),
    securityExtn: typer === undefined ? values.SecurityExtn : GICD_TYPER.SecurityExtn(typer),
    priorityBits: Math.min(Math.max(values.PriorityBits, 4), 8),
    gicdIidr: values.GICD_IIDR,
    giccIidr: values.GICC_IIDR,
  };
}
