// SPDX-License-Identifier: Apache-2.0
// Where an INTID's registers are: the Distributor's, their extended range, or the SGI_base frame of the running processor.
// @linux get_intid_range, convert_offset_index

import type { MmioRegion } from '@irqkit/core';
import {
  FIRST_EPPI,
  FIRST_ESPI,
  FIRST_PPI,
  FIRST_SPI,
  GICD_ICENABLER,
  GICD_ICENABLERnE,
  GICD_ICFGR,
  GICD_ICFGRnE,
  GICD_IROUTER,
  GICD_IROUTERnE,
  GICD_ISENABLER,
  GICD_ISENABLERnE,
  GICD_ISPENDR,
  GICD_ISPENDRnE,
} from '../regs.js';
import type { GicState } from './gic-state.js';

/** Banks that the driver touches interrupt by interrupt: in the Distributor or an SGI_base frame, and for extended SPIs. */
export const BANKS = {
  ENABLE: { offset: GICD_ISENABLER.offset, extended: GICD_ISENABLERnE.offset },
  DISABLE: { offset: GICD_ICENABLER.offset, extended: GICD_ICENABLERnE.offset },
  PEND: { offset: GICD_ISPENDR.offset, extended: GICD_ISPENDRnE.offset },
  CONFIG: { offset: GICD_ICFGR.offset, extended: GICD_ICFGRnE.offset },
  ROUTE: { offset: GICD_IROUTER.offset, extended: GICD_IROUTERnE.offset },
} as const;

type Bank = (typeof BANKS)[keyof typeof BANKS];

export function isSgi(hwirq: number): boolean {
  return hwirq < FIRST_PPI;
}

/** True for SGIs, PPIs and extended PPIs. */
export function isPrivate(hwirq: number): boolean {
  return hwirq < FIRST_SPI || (hwirq >= FIRST_EPPI && hwirq < FIRST_ESPI);
}

export function frameOf({ gicd, frames, currentCpu }: GicState, hwirq: number): MmioRegion {
  return isPrivate(hwirq) ? frames[currentCpu()].sgi : gicd;
}

/** The offset of an INTID's register within its frame, with `perRegister` INTIDs in each of `bytes`. */
export function offsetOf(bank: Bank, hwirq: number, perRegister: number, bytes: number): number {
  if (hwirq >= FIRST_ESPI) return bank.extended + Math.floor((hwirq - FIRST_ESPI) / perRegister) * bytes;
  const index = hwirq >= FIRST_EPPI ? hwirq - FIRST_EPPI + FIRST_SPI : hwirq;
  return bank.offset + Math.floor(index / perRegister) * bytes;
}
