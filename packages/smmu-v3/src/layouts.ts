// SPDX-License-Identifier: Apache-2.0
// What an SMMUv3 and software share in memory: stream table, context descriptors, event records. Arm IHI 0070, sections
// 5.1 to 5.4 and 7.3. Bit numbers count through the whole structure. Fields of the Secure state, MPAM and VMS are not here.

import { addr, word } from '@irqkit/bits';

/** Level 1 stream table descriptor, section 5.1. */
export const L1STD = { bytes: 8, Span: word(4, 0), L2Ptr: addr(51, 6) } as const;

/** Stream Table Entry, section 5.2. */
export const STE = {
  bytes: 64,
  V: word(0),
  Config: word(3, 1),
  S1Fmt: word(5, 4),
  S1ContextPtr: addr(51, 6),
  S1CDMax: word(63, 59),
  S1DSS: word(65, 64),
  S1CIR: word(67, 66),
  S1COR: word(69, 68),
  S1CSH: word(71, 70),
  CONT: word(80, 77),
  MEV: word(83),
  S2FWB: word(89),
  S1MPAM: word(90),
  S1STALLD: word(91),
  EATS: word(93, 92),
  STRW: word(95, 94),
  MemAttr: word(99, 96),
  MTCFG: word(100),
  ALLOCCFG: word(104, 101),
  SHCFG: word(109, 108),
  NSCFG: word(111, 110),
  PRIVCFG: word(113, 112),
  INSTCFG: word(115, 114),
  S2VMID: word(143, 128),
  S2T0SZ: word(165, 160),
  S2SL0: word(167, 166),
  S2IR0: word(169, 168),
  S2OR0: word(171, 170),
  S2SH0: word(173, 172),
  S2TG: word(175, 174),
  S2PS: word(178, 176),
  S2AA64: word(179),
  S2ENDI: word(180),
  S2AFFD: word(181),
  S2PTW: word(182),
  S2HD: word(183),
  S2HA: word(184),
  S2S: word(185),
  S2R: word(186),
  S2TTB: addr(243, 196),
} as const;

/** Level 1 context descriptor, section 5.3. */
export const L1CD = { bytes: 8, V: word(0), L2Ptr: addr(51, 12) } as const;

/** Context Descriptor, section 5.4. */
export const CD = {
  bytes: 64,
  T0SZ: word(5, 0),
  TG0: word(7, 6),
  IR0: word(9, 8),
  OR0: word(11, 10),
  SH0: word(13, 12),
  EPD0: word(14),
  ENDI: word(15),
  T1SZ: word(21, 16),
  TG1: word(23, 22),
  IR1: word(25, 24),
  OR1: word(27, 26),
  SH1: word(29, 28),
  EPD1: word(30),
  V: word(31),
  IPS: word(34, 32),
  AFFD: word(35),
  WXN: word(36),
  UWXN: word(37),
  TBI0: word(38),
  TBI1: word(39),
  PAN: word(40),
  AA64: word(41),
  HD: word(42),
  HA: word(43),
  S: word(44),
  R: word(45),
  A: word(46),
  ASET: word(47),
  ASID: word(63, 48),
  HAD0: word(65),
  TTB0: addr(115, 68),
  HAD1: word(129),
  TTB1: addr(179, 132),
  MAIR0: word(223, 192),
  MAIR1: word(255, 224),
  AMAIR0: word(287, 256),
  AMAIR1: word(319, 288),
} as const;

/** An event record, section 7.3. Which of the fields a record has depends on its event number: the others are 0. */
export const EVENT = {
  bytes: 32,
  number: word(7, 0),
  SSV: word(11),
  SubstreamID: word(31, 12),
  StreamID: word(63, 32),
  STAG: word(79, 64),
  Stall: word(95),
  PnU: word(97),
  InD: word(98),
  RnW: word(99),
  NSIPA: word(100),
  S2: word(103),
  CLASS: word(105, 104),
  TTRnW: word(108),
  /** InputAddr is 64 bits wide: two words. */
  InputAddrLow: word(159, 128),
  InputAddrHigh: word(191, 160),
  /** Of F_TRANSLATION to F_PERMISSION with S2 set: address bits [51:12]. */
  IPA: addr(243, 204),
  /** Of F_STE_FETCH, F_CD_FETCH and F_WALK_EABT: address bits [51:3]. */
  FetchAddr: addr(243, 195),
} as const;

/** Event numbers, section 7.3. */
export const EVENT_NUMBER = {
  F_UUT: 0x01,
  C_BAD_STREAMID: 0x02,
  F_STE_FETCH: 0x03,
  C_BAD_STE: 0x04,
  F_BAD_ATS_TREQ: 0x05,
  F_STREAM_DISABLED: 0x06,
  F_TRANSL_FORBIDDEN: 0x07,
  C_BAD_SUBSTREAMID: 0x08,
  F_CD_FETCH: 0x09,
  C_BAD_CD: 0x0a,
  F_WALK_EABT: 0x0b,
  F_TRANSLATION: 0x10,
  F_ADDR_SIZE: 0x11,
  F_ACCESS: 0x12,
  F_PERMISSION: 0x13,
  F_TLB_CONFLICT: 0x20,
  F_CFG_CONFLICT: 0x21,
  E_PAGE_REQUEST: 0x24,
  F_VMS_FETCH: 0x25,
} as const;

/** Names by event number; sparse. */
export const EVENT_NAMES: readonly (string | undefined)[] = Object.entries(EVENT_NUMBER).reduce<(string | undefined)[]>(
  (names, [name, number]) => {
    names[number] = name;
    return names;
  },
  [],
);

/** EVENT.CLASS: what the access was for: a context descriptor, a translation table, the transaction itself. */
export const EVENT_CLASS = { CD: 0b00, TT: 0b01, IN: 0b10 } as const;
/** STE.Config; 0b001 to 0b011 are reserved, treated as ABORT. */
export const STE_CONFIG = { ABORT: 0b000, BYPASS: 0b100, S1: 0b101, S2: 0b110, NESTED: 0b111 } as const;
/** STE.S1Fmt: a linear table, or leaf tables of 4 KiB or 64 KiB below a level 1. */
export const STE_S1FMT = { LINEAR: 0b00, TWO_LEVEL_4K: 0b01, TWO_LEVEL_64K: 0b10 } as const;
/** STE.S1DSS: what becomes of a transaction without a SubstreamID where the stream has substreams. */
export const STE_S1DSS = { TERMINATE: 0b00, BYPASS: 0b01, SSID0: 0b10 } as const;
/** STE.STRW: NSEL1, or with IDR0.Hyp the regimes of EL2. */
export const STE_STRW = { NSEL1: 0b00, EL2: 0b10 } as const;
/** STE.EATS */
export const STE_EATS = { ABORT: 0b00, FULL: 0b01, SPLIT: 0b10 } as const;
/** STE.SHCFG */
export const STE_SHCFG = { NON: 0b00, INCOMING: 0b01, OUTER: 0b10, INNER: 0b11 } as const;
/** Cacheability of STE.S1CIR and S1COR, of CD.IR and OR, of STE.S2IR0 and S2OR0. */
export const CACHEABILITY = {
  NON_CACHEABLE: 0b00,
  WRITE_BACK_ALLOCATE: 0b01,
  WRITE_THROUGH: 0b10,
  WRITE_BACK: 0b11,
} as const;
/** PRIVCFG of STE and GBPA; 0b00 is the incoming attribute. */
export const PRIVCFG = { INCOMING: 0b00, UNPRIVILEGED: 0b10, PRIVILEGED: 0b11 } as const;
/** INSTCFG of STE and GBPA; 0b00 is the incoming attribute. */
export const INSTCFG = { INCOMING: 0b00, DATA: 0b10, INSTRUCTION: 0b11 } as const;
/** The granule in log2 bytes by CD.TG0 and STE.S2TG; 0 for the reserved one. */
export const TG0_LOG2 = [12, 16, 14, 0] as const;
/** The granule in log2 bytes by CD.TG1; 0 for the reserved one. */
export const TG1_LOG2 = [0, 14, 12, 16] as const;
/** CD.TG0 and STE.S2TG */
export const TG0 = { KIB4: 0b00, KIB64: 0b01, KIB16: 0b10 } as const;
