// SPDX-License-Identifier: Apache-2.0
// Global register space 0 of an SMMUv1 or SMMUv2, Non-secure view: SMMU_CR0 is what Linux calls sCR0. Arm IHI 0062, "Global
// Register Space 0". Offsets are from the space's base, which is the SMMU's.

import { addr, field } from '@irqkit/bits';

export const CR0 = {
  offset: 0x000,
  CLIENTPD: field(0),
  GFRE: field(1),
  GFIE: field(2),
  EXIDENABLE: field(3),
  GCFGFRE: field(4),
  GCFGFIE: field(5),
  TRANSIENTCFG: field(7, 6),
  STALLD: field(8),
  GSE: field(9),
  USFCFG: field(10),
  VMIDPNE: field(11),
  PTM: field(12),
  FB: field(13),
  BSU: field(15, 14),
  MemAttr: field(19, 16),
  MTCFG: field(20),
  SMCFCFG: field(21),
  SHCFG: field(23, 22),
  RACFG: field(25, 24),
  WACFG: field(27, 26),
  VMID16EN: field(31),
} as const;
export const CR2 = { offset: 0x008, BPVMID: field(7, 0) } as const;
/** Implementation defined: the fields are the MMU-500's (Arm DDI 0517). */
export const ACR = {
  offset: 0x010,
  SMTNMB_TLBEN: field(8),
  MMUDISB_TLBEN: field(9),
  S2CRB_TLBEN: field(10),
  CACHE_LOCK: field(26),
} as const;
export const IDR0 = {
  offset: 0x020,
  NUMSMRG: field(7, 0),
  EXIDS: field(8),
  NUMSIDB: field(12, 9),
  BTM: field(13),
  CTTW: field(14),
  EXSMRGS: field(15),
  NUMIRPT: field(23, 16),
  PTFS: field(25, 24),
  ATOSNS: field(26),
  SMS: field(27),
  NTS: field(28),
  S2TS: field(29),
  S1TS: field(30),
  SES: field(31),
} as const;
export const IDR1 = {
  offset: 0x024,
  NUMCB: field(7, 0),
  NUMSSDNDXB: field(11, 8),
  SSDTP: field(13, 12),
  SMCD: field(15),
  NUMS2CB: field(23, 16),
  NUMPAGENDXB: field(30, 28),
  PAGESIZE: field(31),
} as const;
export const IDR2 = {
  offset: 0x028,
  IAS: field(3, 0),
  OAS: field(7, 4),
  UBS: field(11, 8),
  PTFSv8_4kB: field(12),
  PTFSv8_16kB: field(13),
  PTFSv8_64kB: field(14),
  VMID16S: field(15),
} as const;
export const IDR3 = { offset: 0x02c } as const;
export const IDR4 = { offset: 0x030 } as const;
export const IDR5 = { offset: 0x034 } as const;
export const IDR6 = { offset: 0x038 } as const;
export const IDR7 = { offset: 0x03c, MINOR: field(3, 0), MAJOR: field(7, 4) } as const;
/** 64 bits. */
export const GFAR = { offset: 0x040, FADDR: addr(51, 0) } as const;
/** Write one to clear; a fault sets the bit of its kind, and MULTI where another bit was set before. */
export const GFSR = {
  offset: 0x048,
  ICF: field(0),
  USF: field(1),
  SMCF: field(2),
  UCBF: field(3),
  UCIF: field(4),
  CAF: field(5),
  EF: field(6),
  PF: field(7),
  UUT: field(8),
  MULTI: field(31),
} as const;
export const GFSRRESTORE = { ...GFSR, offset: 0x04c } as const;
export const GFSYNR0 = {
  offset: 0x050,
  Nested: field(0),
  WNR: field(1),
  PNU: field(2),
  IND: field(3),
  NSSTATE: field(4),
  NSATTR: field(5),
  ATS: field(6),
} as const;
export const GFSYNR1 = { offset: 0x054, StreamID: field(15, 0), SSD_Index: field(31, 16) } as const;
/** Implementation defined. */
export const GFSYNR2 = { offset: 0x058 } as const;
/** 8 bits of VMID, 16 while CR0.VMID16EN is 1. */
export const TLBIVMID = { offset: 0x064, VMID: field(15, 0) } as const;
/** Any value written invalidates, or starts a synchronization. */
export const TLBIALLNSNH = { offset: 0x068 } as const;
export const TLBIALLH = { offset: 0x06c } as const;
export const TLBGSYNC = { offset: 0x070 } as const;
export const TLBGSTATUS = { offset: 0x074, GSACTIVE: field(0) } as const;

/** One word for each stream match group: `nr` times 4 from `offset`. */
export const SMR = { offset: 0x800, nr: 128, ID: field(14, 0), MASK: field(30, 16), VALID: field(31) } as const;
/** SMR while CR0.EXIDENABLE is 1: S2CR.EXIDVALID is the valid bit then. */
export const SMR_EXTENDED = { offset: 0x800, nr: 128, ID: field(15, 0), MASK: field(31, 16) } as const;
export const S2CR = {
  offset: 0xc00,
  nr: 128,
  CBNDX: field(7, 0),
  SHCFG: field(9, 8),
  EXIDVALID: field(10),
  MTCFG: field(11),
  MemAttr: field(15, 12),
  TYPE: field(17, 16),
  NSCFG: field(19, 18),
  RACFG: field(21, 20),
  WACFG: field(23, 22),
  PRIVCFG: field(25, 24),
  INSTCFG: field(27, 26),
  TRANSIENTCFG: field(29, 28),
} as const;

/** IDR0.PTFS: the AArch32 formats. Long is the LPAE. */
export const IDR0_PTFS = { LONG_AND_SHORT: 0b00, LONG: 0b01, NONE: 0b10 } as const;
/** Bits of an address by IDR2.IAS, IDR2.OAS, TCR2.PASize and stage 2's TCR.PASize; reserved values behave as 48 bits. */
export const ADDRESS_SIZE_BITS = [32, 36, 40, 42, 44, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48] as const;
/** Bits of an input address that masters give, by IDR2.UBS. */
export const UPSTREAM_BUS_BITS = [32, 36, 40, 42, 44, 49] as const;
/** IDR7.MAJOR */
export const ARCHITECTURE = { V1: 1, V2: 2 } as const;
/** S2CR.TYPE */
export const S2CR_TYPE = { TRANSLATE: 0b00, BYPASS: 0b01, FAULT: 0b10 } as const;
/** S2CR.PRIVCFG and S2CR.INSTCFG */
export const S2CR_PRIVCFG = { DEFAULT: 0b00, UNPRIVILEGED: 0b10, PRIVILEGED: 0b11 } as const;
export const S2CR_INSTCFG = { DEFAULT: 0b00, DATA: 0b10, INSTRUCTION: 0b11 } as const;
