// SPDX-License-Identifier: Apache-2.0
// Registers of a context bank of an SMMUv1 or SMMUv2, whichever stage it translates. Arm IHI 0062, "Stage 1 Translation Context
// Bank Format" and "Stage 2 ...". Offsets are from the bank's base; 64-bit registers are pairs of words, low then high.

import { addr, field, word } from '@irqkit/bits';

export const SCTLR = {
  offset: 0x000,
  M: field(0),
  TRE: field(1),
  AFE: field(2),
  AFFD: field(3),
  E: field(4),
  CFRE: field(5),
  CFIE: field(6),
  CFCFG: field(7),
  HUPCF: field(8),
  WXN: field(9),
  UWXN: field(10),
  ASIDPNE: field(12),
  /** Stage 2 */
  PTW: field(13),
  MemAttr: field(19, 16),
  MTCFG: field(20),
  FB: field(21),
  SHCFG: field(23, 22),
  RACFG: field(25, 24),
  WACFG: field(27, 26),
  NSCFG: field(29, 28),
  UCI: field(30),
} as const;
/** Implementation defined: the fields are the MMU-500's (Arm DDI 0517). */
export const ACTLR = { offset: 0x004, CMTLB: field(0), CPRE: field(1) } as const;
export const RESUME = { offset: 0x008, TnR: field(0) } as const;
/** Stage 1 */
export const TCR2 = {
  offset: 0x010,
  PASize: field(2, 0),
  AS: field(4),
  TBI0: field(5),
  TBI1: field(6),
  HAD0: field(8),
  HAD1: field(9),
  NSCFG0: field(14),
  SEP: field(17, 15),
  NSCFG1: field(30),
} as const;
/** 64 bits in SMMUv2, and in SMMUv1 with TCR.EAE. */
export const TTBR0 = { offset: 0x020, ADDRESS: addr(47, 4), ASID: word(63, 48) } as const;
export const TTBR1 = { offset: 0x028, ADDRESS: addr(47, 4), ASID: word(63, 48) } as const;
/** Stage 1, AArch64 and the AArch32 long format: there, T0SZ and T1SZ are [2:0] and [18:16], and EAE is 1. */
export const TCR = {
  offset: 0x030,
  T0SZ: field(5, 0),
  EPD0: field(7),
  IRGN0: field(9, 8),
  ORGN0: field(11, 10),
  SH0: field(13, 12),
  TG0: field(15, 14),
  T1SZ: field(21, 16),
  A1: field(22),
  EPD1: field(23),
  IRGN1: field(25, 24),
  ORGN1: field(27, 26),
  SH1: field(29, 28),
  TG1: field(31, 30),
  /** AArch32 */
  EAE: field(31),
} as const;
/** Stage 2. In AArch32 T0SZ is [3:0], signed, whose sign is repeated in S, [4]. */
export const TCR_STAGE2 = {
  offset: 0x030,
  T0SZ: field(5, 0),
  SL0: field(7, 6),
  IRGN0: field(9, 8),
  ORGN0: field(11, 10),
  SH0: field(13, 12),
  TG0: field(15, 14),
  PASize: field(18, 16),
  EAE: field(31),
} as const;
export const CONTEXTIDR = { offset: 0x034, ASID: field(7, 0), PROCID: field(31, 8) } as const;
/** PRRR and NMRR with the AArch32 short format. */
export const MAIR0 = {
  offset: 0x038,
  Attr0: field(7, 0),
  Attr1: field(15, 8),
  Attr2: field(23, 16),
  Attr3: field(31, 24),
} as const;
export const MAIR1 = {
  offset: 0x03c,
  Attr4: field(7, 0),
  Attr5: field(15, 8),
  Attr6: field(23, 16),
  Attr7: field(31, 24),
} as const;
/** 64 bits: where the translation was found, ADDRESS; the faults of FSR at [8:1] where F is 1. */
export const PAR = { offset: 0x050, F: word(0), FAULT: word(8, 1), ADDRESS: addr(47, 12) } as const;
/** Write one to clear. */
export const FSR = {
  offset: 0x058,
  TF: field(1),
  AFF: field(2),
  PF: field(3),
  EF: field(4),
  TLBMCF: field(5),
  TLBLKF: field(6),
  ASF: field(7),
  UUT: field(8),
  FORMAT: field(10, 9),
  SS: field(30),
  MULTI: field(31),
} as const;
export const FSRRESTORE = { ...FSR, offset: 0x05c } as const;
/** 64 bits: the input address as the bank has it. */
export const FAR = { offset: 0x060, FADDR: addr(51, 0) } as const;
export const FSYNR0 = {
  offset: 0x068,
  PLVL: field(1, 0),
  /** Stage 2 */
  NESTED: field(2),
  S1PTWF: field(3),
  WNR: field(4),
  PNU: field(5),
  IND: field(6),
  NSSTATE: field(7),
  NSATTR: field(8),
  ATOF: field(9),
  PTWF: field(10),
  AFR: field(11),
  S1CBNDX: field(23, 16),
} as const;
/** Implementation defined. */
export const FSYNR1 = { offset: 0x06c } as const;
/** 64 bits, stage 2. */
export const IPAFAR = { offset: 0x070, FADDR: addr(51, 12) } as const;
/** AArch64: 64 bits, bits of the address from 12 up. In AArch32: a word, see TLBIVA_AARCH32. */
export const TLBIVA = { offset: 0x600, VA_43_12: word(31, 0), VA_55_44: word(43, 32), ASID: word(63, 48) } as const;
export const TLBIVA_AARCH32 = { offset: 0x600, ASID: field(7, 0), VA: field(31, 12) } as const;
/** Whatever the ASID. */
export const TLBIVAA = { ...TLBIVA, offset: 0x608 } as const;
export const TLBIASID = { offset: 0x610, ASID: field(15, 0) } as const;
export const TLBIALL = { offset: 0x618 } as const;
/** Last level only; SMMUv2, as are the following to TLBIIPAS2L. */
export const TLBIVAL = { ...TLBIVA, offset: 0x620 } as const;
export const TLBIVAAL = { ...TLBIVA, offset: 0x628 } as const;
/** AArch64: 64 bits; in AArch32 a word, whose bits [27:0] are the address from 12 up. */
export const TLBIIPAS2 = { offset: 0x630, IPA_43_12: word(31, 0), IPA_47_44: word(35, 32) } as const;
export const TLBIIPAS2L = { ...TLBIIPAS2, offset: 0x638 } as const;
export const TLBSYNC = { offset: 0x7f0 } as const;
export const TLBSTATUS = { offset: 0x7f4, SACTIVE: field(0) } as const;
/** The first of the address translation operations, 64 bits, the address from 12 up in place. ATSR follows the last. */
export const ATS1PR = { offset: 0x800, ADDRESS: addr(51, 12) } as const;
export const ATSR = { offset: 0x8f0, ACTIVE: field(0) } as const;

/** TCR.TG0, also of stage 2, and TCR.TG1, which has another encoding: granules in bytes, 0 is reserved. */
export const TG0_BYTES = [0x1000, 0x1_0000, 0x4000, 0] as const;
export const TG1_BYTES = [0, 0x4000, 0x1000, 0x1_0000] as const;
/** TCR2.SEP: the bit from which input addresses are sign extended; UPSTREAM is bit 48 as the master gives it. */
export const TCR2_SEP = { BIT31: 0, BIT35: 1, BIT39: 2, BIT41: 3, BIT43: 4, BIT47: 5, UPSTREAM: 7 } as const;
/** FSR.FORMAT: of the tables, SMMUv2. */
export const FSR_FORMAT = { AARCH32_SHORT: 0, AARCH32_LONG: 1, AARCH64: 2 } as const;
/** RESUME.TnR */
export const RESUME_TNR = { RETRY: 0, TERMINATE: 1 } as const;
