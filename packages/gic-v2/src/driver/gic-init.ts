// SPDX-License-Identifier: Apache-2.0
// Bringing up a GICv2's Distributor and CPU interfaces. Linux 6.1's order of accesses (irq-gic.c, irq-gic-common.c).

import type { MmioRegion } from '@irqkit/core';
import {
  FIRST_SPI,
  GICC_APR,
  GICC_CTLR,
  GICC_IIDR,
  GICC_PMR,
  GICD_CTLR,
  GICD_ICACTIVER,
  GICD_ICENABLER,
  GICD_ICFGR,
  GICD_IPRIORITYR,
  GICD_ITARGETSR,
  GICD_TYPER,
  NR_INTIDS,
} from '../regs.js';

/** Every interrupt's priority, in the four bytes of a register. @linux GICD_INT_DEF_PRI_X4 */
const DEFAULT_PRIORITIES = 0xa0a0_a0a0;
/** @linux GICC_INT_PRI_THRESHOLD */
const PRIORITY_THRESHOLD = 0xf0;
const ALL = 0xffff_ffff;
/** FIQBypDisGrp0 to IRQBypDisGrp1: firmware's choice, kept. @linux GICC_DIS_BYPASS_MASK */
const BYPASS_BITS = 0x1e0;
/** Implementer Arm, architecture version 2; product and revision do not matter. */
const IIDR_GICV2 = { mask: 0x00ff_0fff, value: 0x0002_043b } as const;

/** How many INTIDs the Distributor has. */
export function readNrIrqs(gicd: MmioRegion): number {
  const lines = GICD_TYPER.ITLinesNumber(gicd.read(GICD_TYPER.offset, 4));
  return Math.min((lines + 1) * 32, NR_INTIDS);
}

/** The running CPU's bit in GICD_ITARGETSR, as its own banked bytes show it; 0 on a uniprocessor. @linux gic_get_cpumask */
export function readCpuMask(gicd: MmioRegion): number {
  for (let intid = 0; intid < FIRST_SPI; intid += 4) {
    const value = gicd.read(GICD_ITARGETSR.offset + intid, 4);
    if (value !== 0) return (value | (value >>> 8) | (value >>> 16) | (value >>> 24)) & 0xff;
  }
  return 0;
}

/** Every SPI to the running CPU, level-sensitive, of default priority, inactive and disabled. @linux gic_dist_init */
export function initDistributor(gicd: MmioRegion, nrIrqs: number): void {
  gicd.write(GICD_CTLR.offset, 0, 4);
  const targets = readCpuMask(gicd) * 0x0101_0101;
  for (let i = FIRST_SPI; i < nrIrqs; i += 4) gicd.write(GICD_ITARGETSR.offset + i, targets, 4);
  for (let i = FIRST_SPI; i < nrIrqs; i += 16) gicd.write(GICD_ICFGR.offset + i / 4, 0, 4);
  for (let i = FIRST_SPI; i < nrIrqs; i += 4) gicd.write(GICD_IPRIORITYR.offset + i, DEFAULT_PRIORITIES, 4);
  for (let i = FIRST_SPI; i < nrIrqs; i += 32) deactivateAndDisable(gicd, i);
  gicd.write(GICD_CTLR.offset, GICD_CTLR.EnableGrp0.mask, 4);
}

/** The running CPU's SGIs and PPIs and its interface. Returns its bit in GICD_ITARGETSR. @linux gic_cpu_init */
export function initCpu(gicd: MmioRegion, gicc: MmioRegion): number {
  const cpuMask = readCpuMask(gicd);
  deactivateAndDisable(gicd, 0);
  for (let i = 0; i < FIRST_SPI; i += 4) gicd.write(GICD_IPRIORITYR.offset + i, DEFAULT_PRIORITIES, 4);
  gicc.write(GICC_PMR.offset, PRIORITY_THRESHOLD, 4);
  if ((gicc.read(GICC_IIDR.offset, 4) & IIDR_GICV2.mask) === IIDR_GICV2.value)
    for (let i = 0; i < GICC_APR.sizeBytes; i += 4) gicc.write(GICC_APR.offset + i, 0, 4);
  const bypass = gicc.read(GICC_CTLR.offset, 4) & BYPASS_BITS;
  gicc.write(GICC_CTLR.offset, bypass | GICC_CTLR.EnableGrp0.mask, 4);
  return cpuMask;
}

/** Takes the running CPU's interface down. @linux gic_cpu_if_down */
export function shutCpu(gicc: MmioRegion): void {
  gicc.write(GICC_CTLR.offset, GICC_CTLR.EnableGrp0.set(gicc.read(GICC_CTLR.offset, 4), 0), 4);
}

function deactivateAndDisable(gicd: MmioRegion, firstIntid: number): void {
  gicd.write(GICD_ICACTIVER.offset + firstIntid / 8, ALL, 4);
  gicd.write(GICD_ICENABLER.offset + firstIntid / 8, ALL, 4);
}
