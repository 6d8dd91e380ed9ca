// SPDX-License-Identifier: Apache-2.0
// What the kit's controller has beyond the plain one: a redistributor frame for each processor, with the registers that the
// software of an ITS programs where Arm IHI 0069 has them ("GICR_CTLR", "GICR_PROPBASER", "GICR_PENDBASER").

import { addr, field, word } from '@irqkit/bits';

/** From one processor's frame to the next. */
export const FRAME_BYTES = 0x1_0000;

export const FIRST_LPI = 8192;
/** Of the INTIDs of LPIs: 8192 LPIs. */
export const ID_BITS = 14;

export const GICR_CTLR = { offset: 0x0000, EnableLPIs: field(0) } as const;
/** Fields of two words, low then high. Written while EnableLPIs is 0. */
export const GICR_PROPBASER = {
  offset: 0x0070,
  /** INTID bits, minus one. */
  IDbits: word(4, 0),
  Physical_Address: addr(51, 12),
} as const;
/** Kept for software to read: what is pending is not written to memory. */
export const GICR_PENDBASER = { offset: 0x0078 } as const;

/** An LPI's byte in the table at PROPBASER: IHI 0069 section 5.1.1. */
export const LPI_CONFIGURATION = { Enable: field(0) } as const;
