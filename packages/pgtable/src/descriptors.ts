// SPDX-License-Identifier: Apache-2.0
// Translation table descriptors of VMSAv8-64, 64 bits each, and the shape of the tables they stand in. Arm DDI 0487, chapter
// D8, "Translation table descriptor formats" and "Translation granules".

import { addr, field, word } from '@irqkit/bits';

/** Bits of every descriptor. Type: a table above the last level, a page at the last. */
export const DESCRIPTOR = {
  bytes: 8,
  Valid: word(0),
  Type: word(1),
  /** Of the next table or of the page, in place; a granule or a block needs fewer bits. */
  OutputAddress: addr(47, 12),
  /** Bits [51:48] of that address, where the granule is of 64 KiB and addresses have 52 bits. */
  OutputAddress_51_48: word(15, 12),
} as const;

/** The same of the low word alone, with what stage 1 and 2 say there, ... */
export const LOW_WORD = {
  Valid: field(0),
  ValidAndType: field(1, 0),
  AttrIndx: field(4, 2),
  MemAttr: field(5, 2),
  AP: field(7, 6),
  S2AP: field(7, 6),
  SH: field(9, 8),
  AF: field(10),
  nG: field(11),
  OutputAddress_51_48: field(15, 12),
} as const;
/** ... and of the high word. XN: of stage 1 PXN, and UXN above it; XNTables: PXNTable, and XNTable above it. */
export const HIGH_WORD = {
  OutputAddress_47_32: field(15, 0),
  XN: field(22, 21),
  XNTables: field(28, 27),
  APTable: field(30, 29),
} as const;
/** LOW_WORD.ValidAndType of valid descriptors. */
export const ENTRY = { BLOCK: 0b01, TABLE_OR_PAGE: 0b11 } as const;

/** What a table descriptor says of all below it; stage 1 alone. */
export const TABLE = {
  PXNTable: word(59),
  XNTable: word(60),
  APTable: word(62, 61),
  NSTable: word(63),
} as const;

/** Attributes of a stage 1 block or page. */
export const STAGE1 = {
  AttrIndx: word(4, 2),
  NS: word(5),
  /** AP[2:1] */
  AP: word(7, 6),
  SH: word(9, 8),
  AF: word(10),
  nG: word(11),
  DBM: word(51),
  Contiguous: word(52),
  PXN: word(53),
  /** XN where there is one privilege level. */
  UXN: word(54),
} as const;

/** Attributes of a stage 2 block or page. */
export const STAGE2 = {
  MemAttr: word(5, 2),
  S2AP: word(7, 6),
  SH: word(9, 8),
  AF: word(10),
  DBM: word(51),
  Contiguous: word(52),
  /** XN[1:0]; XN[0] is there with FEAT_XNX. */
  XN: word(54, 53),
} as const;

/** STAGE1.AP: bit 1 makes it read-only, bit 0 lets unprivileged accesses through. */
export const AP = { RW_PRIVILEGED: 0b00, RW: 0b01, RO_PRIVILEGED: 0b10, RO: 0b11 } as const;
/** TABLE.APTable */
export const AP_TABLE = { NO_UNPRIVILEGED: 0b01, READ_ONLY: 0b10 } as const;
/** STAGE2.S2AP */
export const S2AP = { NONE: 0b00, READ: 0b01, WRITE: 0b10 } as const;
/** STAGE2.XN with FEAT_XNX; without it 0b01 is 0b00 and 0b11 is 0b10. */
export const S2XN = { NONE: 0b00, PRIVILEGED: 0b01, ALL: 0b10, UNPRIVILEGED: 0b11 } as const;
/** STAGE2.MemAttr, three of the encodings. */
export const MEM_ATTR = { DEVICE_nGnRE: 0b0001, NORMAL_NON_CACHEABLE: 0b0101, NORMAL_WRITE_BACK: 0b1111 } as const;
/** SH of descriptors and of the registers that point to tables. */
export const SHAREABILITY = { NON: 0b00, OUTER: 0b10, INNER: 0b11 } as const;

/** The last level: entries are pages. */
export const LAST_LEVEL = 3;
/** Stage 2 may begin with up to 2^4 tables side by side. */
export const LOG2_MAX_CONCATENATED = 4;

/** What a granule makes of an address. */
export interface Granule {
  /** Address bits below a page. */
  readonly pageBits: number;
  /** Address bits that one table resolves. */
  readonly indexBits: number;
  readonly firstLevel: number;
  /** The most that input and output addresses can have. */
  readonly addressBits: number;
}

/** By bytes of a page; other sizes there are none. */
export const GRANULES: Readonly<Record<number, Granule | undefined>> = {
  0x1000: { pageBits: 12, indexBits: 9, firstLevel: 0, addressBits: 48 },
  0x4000: { pageBits: 14, indexBits: 11, firstLevel: 0, addressBits: 48 },
  0x1_0000: { pageBits: 16, indexBits: 13, firstLevel: 1, addressBits: 52 },
};

/** Address bits below what one entry at `level` maps. */
export function entryBits({ pageBits, indexBits }: Pick<Granule, 'pageBits' | 'indexBits'>, level: number): number {
  return pageBits + (LAST_LEVEL - level) * indexBits;
}

/** True where an entry at `level` can be a block or a page, output addresses having `outputBits` at the most. */
export function isLeafLevel({ pageBits }: Granule, level: number, outputBits: number): boolean {
  switch (level) {
    case 1:
      return pageBits === 12 || (pageBits === 16 && outputBits > 48);
    case 2:
    case LAST_LEVEL:
      return true;
    default:
      return false;
  }
}

/** The level whose table resolves the topmost of `inputBits`, no tables being side by side. */
export function naturalStartLevel({ pageBits, indexBits }: Granule, inputBits: number): number {
  return LAST_LEVEL + 1 - Math.ceil((inputBits - pageBits) / indexBits);
}

/** True where stage 2 can begin at `level`, physical addresses having `paBits`. DDI 0487, VTCR_EL2.SL0 */
export function isStage2StartLevel({ pageBits, firstLevel }: Granule, level: number, paBits: number): boolean {
  switch (pageBits) {
    case 12:
      return level > firstLevel || (level === firstLevel && paBits > 42);
    case 14:
      return level > 1 || (level === 1 && paBits > 40);
    default:
      return level > firstLevel || (level === firstLevel && paBits > 42);
  }
}

/** 2^n and 2^-n, looked up rather than computed where it matters. */
export const POWERS: Readonly<Float64Array> = Float64Array.from({ length: 64 }, (_, n) => 2 ** n);
export const INVERSES: Readonly<Float64Array> = Float64Array.from({ length: 64 }, (_, n) => 2 ** -n);

/** From an address to its high word, and back. */
export const HIGH_WORD_OF = 2 ** -32;
export const OF_HIGH_WORD = 2 ** 32;

/** `address` down to a multiple of 2^bits. */
export function alignedTo(bits: number, address: number): number {
  return Math.floor(address * INVERSES[bits]) * POWERS[bits];
}
