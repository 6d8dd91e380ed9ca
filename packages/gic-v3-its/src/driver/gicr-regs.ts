// SPDX-License-Identifier: Apache-2.0
// The LPI registers of a redistributor's RD_base frame. Arm IHI 0069, "GICR_CTLR", "GICR_PROPBASER", "GICR_PENDBASER", and
// section 5.1.1 "LPI Configuration tables". The 64-bit ones are fields of a pair of words, low then high.

import { addr, field, word } from '@irqkit/bits';

export const GICR_CTLR = { offset: 0x0000, EnableLPIs: field(0), CES: field(1), RWP: field(3) } as const;
export const GICR_PROPBASER = {
  offset: 0x0070,
  /** INTID bits, minus one. */
  IDbits: word(4, 0),
  InnerCache: word(9, 7),
  Shareability: word(11, 10),
  Physical_Address: addr(51, 12),
  OuterCache: word(58, 56),
} as const;
export const GICR_PENDBASER = {
  offset: 0x0078,
  InnerCache: word(9, 7),
  Shareability: word(11, 10),
  Physical_Address: addr(51, 16),
  OuterCache: word(58, 56),
  PTZ: word(62),
} as const;
/** Shareability of both. */
export const GICR_SHAREABILITY = { NON: 0b00, INNER: 0b01 } as const;
/** InnerCache of both: two of the encodings. */
export const GICR_CACHE = { NON_CACHEABLE: 0b001, READ_WRITE_ALLOCATE_WRITE_BACK: 0b111 } as const;

/** An LPI's byte in the configuration table. Bit 1 is RES1: LPIs are in Group 1. */
export const LPI_CONFIG = { Enable: field(0), RES1: field(1), Priority: field(7, 2) } as const;
