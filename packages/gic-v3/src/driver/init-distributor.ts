// SPDX-License-Identifier: Apache-2.0
// Bringing a GICv3's Distributor up. Linux 6.1's order of accesses (irq-gic-v3.c gic_dist_init, irq-gic-common.c).

import type { MmioRegion } from '@irqkit/core';
import {
  FIRST_SPI,
  GICD_CTLR_NS,
  GICD_ICACTIVER,
  GICD_ICACTIVERnE,
  GICD_ICENABLER,
  GICD_ICENABLERnE,
  GICD_ICFGR,
  GICD_ICFGRnE,
  GICD_IGROUPR,
  GICD_IGROUPRnE,
  GICD_IPRIORITYR,
  GICD_IPRIORITYRnE,
  GICD_IROUTER,
  GICD_IROUTERnE,
} from '../regs.js';
import type { GicState } from './gic-state.js';
import { waitFor } from './wait.js';

/** Every interrupt's priority, in the four bytes of a register. @linux GICD_INT_DEF_PRI_X4 */
export const DEFAULT_PRIORITIES = 0xa0a0_a0a0;
const ALL = 0xffff_ffff;

/**
 * Every SPI in Group 1, level-sensitive, of default priority, inactive, disabled, and to the running processor.
 * @throws LinuxError ETIMEDOUT @linux gic_dist_init
 */
export function initDistributor(gic: GicState): void {
  const { gicd, nrIrqs, nrExtendedSpis } = gic;
  gicd.write(GICD_CTLR_NS.offset, 0, 4);
  waitForDistributor(gic);
  // Where there are two Security states the write is ignored, and the groups are firmware's choice.
  for (let i = FIRST_SPI; i < nrIrqs; i += 32) gicd.write(GICD_IGROUPR.offset + i / 8, ALL, 4);
  for (let i = 0; i < nrExtendedSpis; i += 32) {
    gicd.write(GICD_ICENABLERnE.offset + i / 8, ALL, 4);
    gicd.write(GICD_ICACTIVERnE.offset + i / 8, ALL, 4);
  }
  for (let i = 0; i < nrExtendedSpis; i += 32) gicd.write(GICD_IGROUPRnE.offset + i / 8, ALL, 4);
  for (let i = 0; i < nrExtendedSpis; i += 16) gicd.write(GICD_ICFGRnE.offset + i / 4, 0, 4);
  for (let i = 0; i < nrExtendedSpis; i += 4) gicd.write(GICD_IPRIORITYRnE.offset + i, DEFAULT_PRIORITIES, 4);
  for (let i = FIRST_SPI; i < nrIrqs; i += 16) gicd.write(GICD_ICFGR.offset + i / 4, 0, 4);
  for (let i = FIRST_SPI; i < nrIrqs; i += 4) gicd.write(GICD_IPRIORITYR.offset + i, DEFAULT_PRIORITIES, 4);
  for (let i = FIRST_SPI; i < nrIrqs; i += 32) deactivateAndDisable(gicd, i);
  gicd.write(GICD_CTLR_NS.offset, ENABLED, 4);
  waitForDistributor(gic);
  const mpidr = gic.mpidr[gic.currentCpu()];
  for (let i = FIRST_SPI; i < nrIrqs; i++) route(gicd, GICD_IROUTER.offset + i * 8, mpidr);
  for (let i = 0; i < nrExtendedSpis; i++) route(gicd, GICD_IROUTERnE.offset + i * 8, mpidr);
}

const ENABLED = GICD_CTLR_NS.ARE_NS.mask | GICD_CTLR_NS.EnableGrp1A.mask | GICD_CTLR_NS.EnableGrp1.mask;

/** The frame's first registers of interrupts from `first` on: the Distributor's, or an SGI_base frame's. */
export function deactivateAndDisable(frame: MmioRegion, first: number): void {
  frame.write(GICD_ICACTIVER.offset + first / 8, ALL, 4);
  frame.write(GICD_ICENABLER.offset + first / 8, ALL, 4);
}

/** @throws LinuxError ETIMEDOUT @linux gic_dist_wait_for_rwp */
export function waitForDistributor({ path, gicd }: GicState): void {
  waitFor(path, gicd, GICD_CTLR_NS.offset, GICD_CTLR_NS.RWP, 0);
}

/** Sends an SPI to the processor of that affinity. */
export function route(gicd: MmioRegion, offset: number, mpidr: number): void {
  gicd.write64(offset, mpidr % 0x100_0000, Math.floor(mpidr / 2 ** 32));
}
