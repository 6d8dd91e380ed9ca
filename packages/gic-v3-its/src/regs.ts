// SPDX-License-Identifier: Apache-2.0
// Registers of an Interrupt Translation Service (GITS_*) and the entry of a level 1 table. Arm IHI 0069, chapter 5 and
// "The ITS register descriptions" of chapter 12. The 64-bit ones are fields of a pair of words, low then high.

import { addr, field, word } from '@irqkit/bits';

/** The control frame, then the translation frame. */
export const ITS_FRAME_BYTES = 0x1_0000;
export const TRANSLATION_FRAME = ITS_FRAME_BYTES;

export const GITS_CTLR = {
  offset: 0x0000,
  Enabled: field(0),
  ImDe: field(1),
  ITS_Number: field(7, 4),
  UMSIirq: field(8),
  Quiescent: field(31),
} as const;
export const GITS_IIDR = {
  offset: 0x0004,
  Implementer: field(11, 0),
  Revision: field(15, 12),
  Variant: field(19, 16),
  ProductID: field(31, 24),
} as const;
export const GITS_TYPER = {
  offset: 0x0008,
  Physical: word(0),
  Virtual: word(1),
  CCT: word(2),
  /** Bytes of an interrupt translation entry, minus one. */
  ITT_entry_size: word(7, 4),
  /** EventID bits, minus one. */
  ID_bits: word(12, 8),
  /** DeviceID bits, minus one. */
  Devbits: word(17, 13),
  SEIS: word(18),
  PTA: word(19),
  HCC: word(31, 24),
  /** Collection ID bits, minus one; 16 bits where CIL is 0. */
  CIDbits: word(35, 32),
  CIL: word(36),
  VMOVP: word(37),
  MPAM: word(38),
  VSGI: word(39),
  VMAPP: word(40),
  SVPET: word(42, 41),
  nID: word(43),
  UMSI: word(44),
  UMSIirq: word(45),
  INV: word(46),
} as const;
export const GITS_MPAMIDR = { offset: 0x0010, PARTIDmax: field(15, 0), PMGmax: field(23, 16) } as const;
export const GITS_PARTIDR = { offset: 0x0014, PARTID: field(15, 0), PMG: field(23, 16) } as const;
export const GITS_MPIDR = { offset: 0x0018 } as const;
export const GITS_STATUSR = {
  offset: 0x0040,
  RRD: field(0),
  WRD: field(1),
  RWOD: field(2),
  WROD: field(3),
  Syndrome: field(4),
  Overflow: field(5),
} as const;
export const GITS_UMSIR = { offset: 0x0048, EventID: word(31, 0), DeviceID: word(63, 32) } as const;
export const GITS_CBASER = {
  offset: 0x0080,
  /** 4 KiB pages of the command queue, minus one. */
  Size: word(7, 0),
  Shareability: word(11, 10),
  Physical_Address: addr(51, 12),
  OuterCache: word(55, 53),
  InnerCache: word(61, 59),
  Valid: word(63),
} as const;
/** `Offset` is in bytes, in place: it is a multiple of 32. */
export const GITS_CWRITER = { offset: 0x0088, Retry: word(0), Offset: addr(19, 5) } as const;
export const GITS_CREADR = { offset: 0x0090, Stalled: word(0), Offset: addr(19, 5) } as const;
/** GITS_BASER<n> stands at offset + n * stride. Its address: `tableAddress`. */
export const GITS_BASER = {
  offset: 0x0100,
  stride: 8,
  count: 8,
  /** Pages of the table, minus one. */
  Size: word(7, 0),
  Page_Size: word(9, 8),
  Shareability: word(11, 10),
  /** Address bits [47:12], of which [15:12] are bits [51:48] where pages are of 64 KiB. */
  Physical_Address: addr(47, 12),
  /** Bytes of an entry, minus one. */
  Entry_Size: word(52, 48),
  OuterCache: word(55, 53),
  Type: word(58, 56),
  InnerCache: word(61, 59),
  Indirect: word(62),
  Valid: word(63),
} as const;
export const GITS_PIDR4 = { offset: 0xffd0 } as const;
export const GITS_PIDR0 = { offset: 0xffe0 } as const;
export const GITS_PIDR2 = { offset: 0xffe8, ArchRev: field(7, 4) } as const;
export const GITS_CIDR0 = { offset: 0xfff0 } as const;
/** In the translation frame: an EventID, from the device whose DeviceID comes with the access. */
export const GITS_TRANSLATER = { offset: TRANSLATION_FRAME + 0x0040, EventID: field(31, 0) } as const;

/** GITS_BASER<n>.Type */
export const GITS_BASER_TYPE = { NONE: 0b000, DEVICES: 0b001, VPES: 0b010, COLLECTIONS: 0b100 } as const;
/** Bytes of a page by GITS_BASER<n>.Page_Size; the reserved encoding is treated as the one before it. */
export const GITS_PAGE_BYTES = [0x1000, 0x4000, 0x1_0000, 0x1_0000] as const;
/** GITS_BASER<n>.Page_Size */
export const GITS_PAGE_SIZE = { KIB4: 0b00, KIB16: 0b01, KIB64: 0b10 } as const;
/** Shareability of GITS_CBASER and GITS_BASER<n>. */
export const GITS_SHAREABILITY = { NON: 0b00, INNER: 0b01, OUTER: 0b10 } as const;
/** InnerCache and OuterCache of GITS_CBASER and GITS_BASER<n>: two of the encodings. */
export const GITS_CACHE = { NON_CACHEABLE: 0b001, READ_WRITE_ALLOCATE_WRITE_BACK: 0b111 } as const;

/** An entry of the level 1 table where GITS_BASER<n>.Indirect is 1: where a page of the level 2 table is. */
export const LEVEL1_ENTRY = { bytes: 8, Physical_Address: addr(51, 12), Valid: word(63) } as const;

/** LPIs have INTIDs from here on. IHI 0069, section 2.2.1 */
export const FIRST_LPI = 8192;

/** Where a GITS_BASER<n> value (two words) says that its table is, in whole pages. */
export function tableAddress(baser: Uint32Array): number {
  const pageBytes = GITS_PAGE_BYTES[GITS_BASER.Page_Size(baser)];
  const field = GITS_BASER.Physical_Address(baser);
  const low = field - (field % pageBytes);
  return pageBytes === GITS_PAGE_BYTES[GITS_PAGE_SIZE.KIB64] ? ((field % pageBytes) / 0x1000) * 2 ** 48 + low : low;
}

/** Stores a table's address in a GITS_BASER<n> value whose Page_Size is set. `address` is a multiple of the page. */
export function putTableAddress(baser: Uint32Array, address: number): void {
  const top = Math.floor(address / 2 ** 48);
  GITS_BASER.Physical_Address.put(baser, address - top * 2 ** 48 + top * 0x1000);
}
