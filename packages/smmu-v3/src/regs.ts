// SPDX-License-Identifier: Apache-2.0
// Registers of an SMMUv3: page 0, and page 1 at 0x10000. Arm IHI 0070, chapter 6 "Memory map and registers". The 64-bit
// ones are fields of a pair of words, low then high. Secure (S_*), Root and Realm registers are not here.

import { addr, field, word } from '@irqkit/bits';

/** Page 0, then page 1. */
export const SMMU_FRAME_BYTES = 0x2_0000;
export const PAGE_1 = 0x1_0000;

export const IDR0 = {
  offset: 0x000,
  S2P: field(0),
  S1P: field(1),
  TTF: field(3, 2),
  COHACC: field(4),
  BTM: field(5),
  HTTU: field(7, 6),
  DORMHINT: field(8),
  Hyp: field(9),
  ATS: field(10),
  NS1ATS: field(11),
  ASID16: field(12),
  MSI: field(13),
  SEV: field(14),
  ATOS: field(15),
  PRI: field(16),
  VMW: field(17),
  VMID16: field(18),
  CD2L: field(19),
  VATOS: field(20),
  TTENDIAN: field(22, 21),
  ATSRECERR: field(23),
  STALL_MODEL: field(25, 24),
  TERM_MODEL: field(26),
  ST_LEVEL: field(28, 27),
} as const;
export const IDR1 = {
  offset: 0x004,
  SIDSIZE: field(5, 0),
  SSIDSIZE: field(10, 6),
  PRIQS: field(15, 11),
  EVENTQS: field(20, 16),
  CMDQS: field(25, 21),
  ATTR_PERMS_OVR: field(26),
  ATTR_TYPES_OVR: field(27),
  REL: field(28),
  QUEUES_PRESET: field(29),
  TABLES_PRESET: field(30),
  ECMDQ: field(31),
} as const;
export const IDR2 = { offset: 0x008, BA_VATOS: field(9, 0) } as const;
export const IDR3 = {
  offset: 0x00c,
  HAD: field(2),
  PBHA: field(3),
  XNX: field(4),
  PPS: field(5),
  MPAM: field(7),
  FWB: field(8),
  STT: field(9),
  RIL: field(10),
  BBML: field(12, 11),
} as const;
export const IDR4 = { offset: 0x010 } as const;
export const IDR5 = {
  offset: 0x014,
  OAS: field(2, 0),
  GRAN4K: field(4),
  GRAN16K: field(5),
  GRAN64K: field(6),
  VAX: field(11, 10),
  STALL_MAX: field(31, 16),
} as const;
export const IIDR = {
  offset: 0x018,
  Implementer: field(11, 0),
  Revision: field(15, 12),
  Variant: field(19, 16),
  ProductID: field(31, 20),
} as const;
export const AIDR = { offset: 0x01c, ArchMinorRev: field(3, 0), ArchMajorRev: field(7, 4) } as const;
export const CR0 = {
  offset: 0x020,
  SMMUEN: field(0),
  PRIQEN: field(1),
  EVENTQEN: field(2),
  CMDQEN: field(3),
  ATSCHK: field(4),
  VMW: field(8, 6),
} as const;
export const CR0ACK = { ...CR0, offset: 0x024 } as const;
export const CR1 = {
  offset: 0x028,
  QUEUE_IC: field(1, 0),
  QUEUE_OC: field(3, 2),
  QUEUE_SH: field(5, 4),
  TABLE_IC: field(7, 6),
  TABLE_OC: field(9, 8),
  TABLE_SH: field(11, 10),
} as const;
export const CR2 = { offset: 0x02c, E2H: field(0), RECINVSID: field(1), PTM: field(2) } as const;
export const STATUSR = { offset: 0x040, DORMANT: field(0) } as const;
export const GBPA = {
  offset: 0x044,
  MemAttr: field(3, 0),
  MTCFG: field(4),
  ALLOCCFG: field(11, 8),
  SHCFG: field(13, 12),
  PRIVCFG: field(17, 16),
  INSTCFG: field(19, 18),
  ABORT: field(20),
  Update: field(31),
} as const;
export const AGBPA = { offset: 0x048 } as const;
export const IRQ_CTRL = {
  offset: 0x050,
  GERROR_IRQEN: field(0),
  PRIQ_IRQEN: field(1),
  EVENTQ_IRQEN: field(2),
} as const;
export const IRQ_CTRLACK = { ...IRQ_CTRL, offset: 0x054 } as const;
export const GERROR = {
  offset: 0x060,
  CMDQ_ERR: field(0),
  EVENTQ_ABT_ERR: field(2),
  PRIQ_ABT_ERR: field(3),
  MSI_CMDQ_ABT_ERR: field(4),
  MSI_EVENTQ_ABT_ERR: field(5),
  MSI_PRIQ_ABT_ERR: field(6),
  MSI_GERROR_ABT_ERR: field(7),
  SFM_ERR: field(8),
} as const;
export const GERRORN = { ...GERROR, offset: 0x064 } as const;

const MSI_ADDRESS = { ADDR: addr(51, 2) } as const;
const MSI_DATA = { DATA: field(31, 0) } as const;
const MSI_ATTRIBUTES = { MemAttr: field(3, 0), SH: field(5, 4) } as const;

export const GERROR_IRQ_CFG0 = { offset: 0x068, ...MSI_ADDRESS } as const;
export const GERROR_IRQ_CFG1 = { offset: 0x070, ...MSI_DATA } as const;
export const GERROR_IRQ_CFG2 = { offset: 0x074, ...MSI_ATTRIBUTES } as const;
export const STRTAB_BASE = { offset: 0x080, ADDR: addr(51, 6), RA: word(62) } as const;
export const STRTAB_BASE_CFG = {
  offset: 0x088,
  LOG2SIZE: field(5, 0),
  SPLIT: field(10, 6),
  FMT: field(17, 16),
} as const;
export const CMDQ_BASE = { offset: 0x090, LOG2SIZE: word(4, 0), ADDR: addr(51, 5), RA: word(62) } as const;
/** An index within the queue and, above it, the wrap bit: at bit LOG2SIZE of the queue's base. So is every WR and RD. */
export const CMDQ_PROD = { offset: 0x098, WR: field(19, 0) } as const;
export const CMDQ_CONS = { offset: 0x09c, RD: field(19, 0), ERR: field(30, 24) } as const;
export const EVENTQ_BASE = { offset: 0x0a0, LOG2SIZE: word(4, 0), ADDR: addr(51, 5), WA: word(62) } as const;
export const EVENTQ_IRQ_CFG0 = { offset: 0x0b0, ...MSI_ADDRESS } as const;
export const EVENTQ_IRQ_CFG1 = { offset: 0x0b8, ...MSI_DATA } as const;
export const EVENTQ_IRQ_CFG2 = { offset: 0x0bc, ...MSI_ATTRIBUTES } as const;
export const PRIQ_BASE = { offset: 0x0c0, LOG2SIZE: word(4, 0), ADDR: addr(51, 5), WA: word(62) } as const;
export const PRIQ_IRQ_CFG0 = { offset: 0x0d0, ...MSI_ADDRESS } as const;
export const PRIQ_IRQ_CFG1 = { offset: 0x0d8, ...MSI_DATA } as const;
export const PRIQ_IRQ_CFG2 = { offset: 0x0dc, ...MSI_ATTRIBUTES, LO: field(31) } as const;
/** Twelve words to 0xffc: PIDR4-7, PIDR0-3, CIDR0-3. */
export const PIDR4 = { offset: 0xfd0 } as const;

export const EVENTQ_PROD = { offset: PAGE_1 + 0x0a8, WR: field(19, 0), OVFLG: field(31) } as const;
export const EVENTQ_CONS = { offset: PAGE_1 + 0x0ac, RD: field(19, 0), OVACKFLG: field(31) } as const;
export const PRIQ_PROD = { offset: PAGE_1 + 0x0c8, WR: field(19, 0), OVFLG: field(31) } as const;
export const PRIQ_CONS = { offset: PAGE_1 + 0x0cc, RD: field(19, 0), OVACKFLG: field(31) } as const;

/** IDR0.TTF */
export const IDR0_TTF = { AARCH32: 0b01, AARCH64: 0b10, BOTH: 0b11 } as const;
/** IDR0.HTTU: what the hardware updates in descriptors. */
export const IDR0_HTTU = { NONE: 0b00, ACCESS: 0b01, ACCESS_AND_DIRTY: 0b10 } as const;
/** IDR0.TTENDIAN */
export const IDR0_TTENDIAN = { MIXED: 0b00, LITTLE: 0b10, BIG: 0b11 } as const;
/** IDR0.STALL_MODEL */
export const IDR0_STALL_MODEL = { STALL_AND_TERMINATE: 0b00, TERMINATE: 0b01, FORCED_STALL: 0b10 } as const;
/** IDR0.ST_LEVEL */
export const IDR0_ST_LEVEL = { LINEAR: 0b00, TWO_LEVEL: 0b01 } as const;
/** IDR5.VAX */
export const IDR5_VAX = { BITS48: 0b00, BITS52: 0b01 } as const;
/** Bits of an address by IDR5.OAS, CD.IPS and STE.S2PS; the reserved 0b111 behaves as 0b110. */
export const ADDRESS_SIZE_BITS = [32, 36, 40, 42, 44, 48, 52, 52] as const;
/** QUEUE_IC, QUEUE_OC, TABLE_IC and TABLE_OC of CR1. */
export const CR1_CACHE = { NON_CACHEABLE: 0b00, WRITE_BACK: 0b01, WRITE_THROUGH: 0b10 } as const;
/** Shareability of CR1, of STE, CD and CMD_SYNC, and of *_IRQ_CFG2. */
export const SHAREABILITY = { NON: 0b00, OUTER: 0b10, INNER: 0b11 } as const;
/** MemAttr of *_IRQ_CFG2 and MSIAttr of CMD_SYNC: two of the encodings. */
export const MEMATTR = { DEVICE_nGnRE: 0b0001, NORMAL_WRITE_BACK: 0b1111 } as const;
/** STRTAB_BASE_CFG.FMT */
export const STRTAB_FMT = { LINEAR: 0b00, TWO_LEVEL: 0b01 } as const;
/** STRTAB_BASE_CFG.SPLIT: the values that are not reserved. */
export const STRTAB_SPLIT = [6, 8, 10] as const;
/** CMDQ_CONS.ERR, section 4.8 "Command Consumption summary" and 6.3.28. */
export const CERROR = { NONE: 0, ILL: 1, ABT: 2, ATC_INV_SYNC: 3 } as const;
