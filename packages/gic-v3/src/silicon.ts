// SPDX-License-Identifier: Apache-2.0
// What firmware does not say of a GICv3: profiles per implementation, and the model's reading of them.

import type { Silicon } from '@irqkit/core';
import { FIRST_SPECIAL, FIRST_SPI, GICD_TYPER, GICR_CTLR, GICR_TYPER, GICR_WAKER, ICC_CTLR_EL1 } from './regs.js';

/**
 * The GICv3 of QEMU's `virt` with an ITS and one Security state. GICD and GICR as they read in a Linux 6.1 boot under QEMU
 * 7.2 (shared data, replay/D); GICR_TYPER without what differs between Redistributors; ICC_CTLR_EL1 of a Cortex-A72 there:
 * 5 bits of priority, INTIDs of 24 bits.
 */
export const VIRT_SILICON = {
  GICD_TYPER: 0x037a_0007,
  GICD_TYPER2: 0,
  GICD_IIDR: 0x0000_043b,
  GICR_CTLR: 0x0000_0002,
  GICR_IIDR: 0x0000_043b,
  GICR_TYPER: 0x0100_0001,
  GICR_WAKER: 0x0000_0006,
  ICC_CTLR_EL1: 0x0000_8c00,
} as const satisfies Silicon;

/** Firmware of MSM8996 leaves every Redistributor awake and GICR_WAKER out of reach (Linux 6.1, gic_enable_quirk_msm8996). */
export const MSM8996_SILICON = { ...VIRT_SILICON, GICR_WAKER: 0 } as const satisfies Silicon;

/** A GICv3's parameters, checked and completed. */
export interface GicV3Parameters {
  /** As they read. */
  readonly typer: number;
  readonly typer2: number;
  readonly gicdIidr: number;
  readonly gicrIidr: number;
  /** GICR_CTLR.CES and IR, the bits that do not change. */
  readonly gicrCtlr: number;
  /** GICR_TYPER.PLPIS, DirectLPI, DPGS, CommonLPIAff and PPInum. */
  readonly gicrTyper: number;
  readonly gicrWaker: number;
  /** INTIDs below the extended ranges: a multiple of 32, or 1020. */
  readonly nrIrqs: number;
  readonly nrExtendedSpis: number;
  /** 0, 32 or 64. */
  readonly nrExtendedPpis: number;
  readonly messageBasedSpis: boolean;
  readonly oneOfN: boolean;
  readonly rangeSelector: boolean;
  readonly aff3: boolean;
  readonly lpis: boolean;
  readonly directLpis: boolean;
  /** GICR_INVLPIR and GICR_INVALLR are there. */
  readonly invalidateRegisters: boolean;
  readonly disableProcessorSelection: boolean;
  /** Bits of an INTID. */
  readonly idBits: number;
  /** Implemented bits of each priority, from the top: 4 to 8. */
  readonly priorityBits: number;
  /** ICC_CTLR_EL1.IDbits, A3V, RSS, ExtRange and PRIbits, in place. */
  readonly iccCtlr: number;
}

/** What the models here do not have: they read as 0. */
const LEFT_OUT = (GICD_TYPER.NMI.mask | GICD_TYPER.SecurityExtn.mask | GICD_TYPER.DVIS.mask) >>> 0;
const GICR_KEPT =
  GICR_TYPER.PLPIS.mask |
  GICR_TYPER.DirectLPI.mask |
  GICR_TYPER.DPGS.mask |
  GICR_TYPER.CommonLPIAff.mask |
  GICR_TYPER.PPInum.mask;
const ICC_KEPT = ICC_CTLR_EL1.IDbits.mask | ICC_CTLR_EL1.A3V.mask | ICC_CTLR_EL1.RSS.mask | ICC_CTLR_EL1.ExtRange.mask;

/** An LPI's INTID has 14 bits at least, and no INTID more than 24. Sections 5.1 and 2.2 */
const LEAST_LPI_ID_BITS = 14;
const MOST_ID_BITS = 24;

/**
 * Reads GICD_TYPER, GICD_TYPER2, GICD_IIDR, GICR_CTLR, GICR_IIDR, GICR_TYPER, GICR_WAKER and ICC_CTLR_EL1. What is missing is
 * VIRT_SILICON's; what no GICv3 can have is cut to what it can. `hasMbis`: firmware says that there are message-based SPIs.
 */
export function parametersOf(silicon: Silicon, hasMbis: boolean): GicV3Parameters {
  const values = { ...VIRT_SILICON, ...silicon } as Silicon;
  const idBits = Math.min(GICD_TYPER.IDbits(values.GICD_TYPER) + 1, MOST_ID_BITS);
  const lpis = GICD_TYPER.LPIS(values.GICD_TYPER) === 1 && idBits >= LEAST_LPI_ID_BITS;
  let typer = (values.GICD_TYPER & ~LEFT_OUT) >>> 0;
  typer = GICD_TYPER.LPIS.set(typer, lpis ? 1 : 0);
  typer = GICD_TYPER.IDbits.set(typer, idBits - 1);
  if (hasMbis) typer = GICD_TYPER.MBIS.set(typer, 1);
  if (GICD_TYPER.ESPI(typer) === 0) typer = GICD_TYPER.ESPI_range.set(typer, 0);
  const ppiNum = Math.min(GICR_TYPER.PPInum(values.GICR_TYPER), 2);
  let gicrTyper = GICR_TYPER.PPInum.set((values.GICR_TYPER & GICR_KEPT) >>> 0, ppiNum);
  gicrTyper = GICR_TYPER.PLPIS.set(gicrTyper, lpis ? 1 : 0);
  const directLpis = lpis && GICR_TYPER.DirectLPI(gicrTyper) === 1;
  const priorityBits = Math.max(ICC_CTLR_EL1.PRIbits(values.ICC_CTLR_EL1) + 1, 4);
  return {
    typer,
    typer2: values.GICD_TYPER2,
    gicdIidr: values.GICD_IIDR,
    gicrIidr: values.GICR_IIDR,
    gicrCtlr: (values.GICR_CTLR & (GICR_CTLR.CES.mask | GICR_CTLR.IR.mask)) >>> 0,
    gicrTyper: GICR_TYPER.DirectLPI.set(gicrTyper, directLpis ? 1 : 0),
    gicrWaker: (values.GICR_WAKER & GICR_WAKER.ProcessorSleep.mask) >>> 0,
    nrIrqs: Math.max(Math.min((GICD_TYPER.ITLinesNumber(typer) + 1) * 32, FIRST_SPECIAL), FIRST_SPI),
    nrExtendedSpis: GICD_TYPER.ESPI(typer) === 1 ? (GICD_TYPER.ESPI_range(typer) + 1) * 32 : 0,
    nrExtendedPpis: ppiNum * 32,
    messageBasedSpis: GICD_TYPER.MBIS(typer) === 1,
    oneOfN: GICD_TYPER.No1N(typer) === 0,
    rangeSelector: GICD_TYPER.RSS(typer) === 1,
    aff3: GICD_TYPER.A3V(typer) === 1,
    lpis,
    directLpis,
    invalidateRegisters: lpis && (directLpis || GICR_CTLR.IR(values.GICR_CTLR) === 1),
    disableProcessorSelection: GICR_TYPER.DPGS(gicrTyper) === 1,
    idBits,
    priorityBits,
    iccCtlr: ICC_CTLR_EL1.PRIbits.set((values.ICC_CTLR_EL1 & ICC_KEPT) >>> 0, priorityBits - 1),
  };
}
