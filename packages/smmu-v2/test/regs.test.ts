// SPDX-License-Identifier: Apache-2.0
// Offsets within each register space and bit ranges, as Arm IHI 0062 prints them, and where the spaces lie.

import { regs } from '@irqkit/smmu-v2';

type Ranged = { readonly hi: number; readonly lo: number };

/** Every field of a register as the manual's `name hi:lo`, lowest first. */
function rangesOf(declaration: object): string {
  return Object.entries(declaration)
    .filter((entry): entry is [string, Ranged] => typeof entry[1] === 'function')
    .sort(([, a], [, b]) => a.lo - b.lo || a.hi - b.hi)
    .map(([name, { hi, lo }]) => (hi === lo ? `${name} ${hi}` : `${name} ${hi}:${lo}`))
    .join(', ');
}

const GFSR = 'ICF 0, USF 1, SMCF 2, UCBF 3, UCIF 4, CAF 5, EF 6, PF 7, UUT 8, MULTI 31';
const FSR = 'TF 1, AFF 2, PF 3, EF 4, TLBMCF 5, TLBLKF 6, ASF 7, UUT 8, FORMAT 10:9, SS 30, MULTI 31';
const TLBI = 'VA_43_12 31:0, VA_55_44 43:32, ASID 63:48';

const GLOBAL_SPACE_0: readonly (readonly [string, number, string])[] = [
  [
    'CR0',
    0x000,
    'CLIENTPD 0, GFRE 1, GFIE 2, EXIDENABLE 3, GCFGFRE 4, GCFGFIE 5, TRANSIENTCFG 7:6, STALLD 8, GSE 9, USFCFG 10, VMIDPNE 11, PTM 12, FB 13, BSU 15:14, MemAttr 19:16, MTCFG 20, SMCFCFG 21, SHCFG 23:22, RACFG 25:24, WACFG 27:26, VMID16EN 31',
  ],
  ['CR2', 0x008, 'BPVMID 7:0'],
  ['ACR', 0x010, 'SMTNMB_TLBEN 8, MMUDISB_TLBEN 9, S2CRB_TLBEN 10, CACHE_LOCK 26'],
  [
    'IDR0',
    0x020,
    'NUMSMRG 7:0, EXIDS 8, NUMSIDB 12:9, BTM 13, CTTW 14, EXSMRGS 15, NUMIRPT 23:16, PTFS 25:24, ATOSNS 26, SMS 27, NTS 28, S2TS 29, S1TS 30, SES 31',
  ],
  ['IDR1', 0x024, 'NUMCB 7:0, NUMSSDNDXB 11:8, SSDTP 13:12, SMCD 15, NUMS2CB 23:16, NUMPAGENDXB 30:28, PAGESIZE 31'],
  ['IDR2', 0x028, 'IAS 3:0, OAS 7:4, UBS 11:8, PTFSv8_4kB 12, PTFSv8_16kB 13, PTFSv8_64kB 14, VMID16S 15'],
  ['IDR3', 0x02c, ''],
  ['IDR4', 0x030, ''],
  ['IDR5', 0x034, ''],
  ['IDR6', 0x038, ''],
  ['IDR7', 0x03c, 'MINOR 3:0, MAJOR 7:4'],
  ['GFAR', 0x040, 'FADDR 51:0'],
  ['GFSR', 0x048, GFSR],
  ['GFSRRESTORE', 0x04c, GFSR],
  ['GFSYNR0', 0x050, 'Nested 0, WNR 1, PNU 2, IND 3, NSSTATE 4, NSATTR 5, ATS 6'],
  ['GFSYNR1', 0x054, 'StreamID 15:0, SSD_Index 31:16'],
  ['GFSYNR2', 0x058, ''],
  ['TLBIVMID', 0x064, 'VMID 15:0'],
  ['TLBIALLNSNH', 0x068, ''],
  ['TLBIALLH', 0x06c, ''],
  ['TLBGSYNC', 0x070, ''],
  ['TLBGSTATUS', 0x074, 'GSACTIVE 0'],
  ['SMR', 0x800, 'ID 14:0, MASK 30:16, VALID 31'],
  ['SMR_EXTENDED', 0x800, 'ID 15:0, MASK 31:16'],
  [
    'S2CR',
    0xc00,
    'CBNDX 7:0, SHCFG 9:8, EXIDVALID 10, MTCFG 11, MemAttr 15:12, TYPE 17:16, NSCFG 19:18, RACFG 21:20, WACFG 23:22, PRIVCFG 25:24, INSTCFG 27:26, TRANSIENTCFG 29:28',
  ],
];

const GLOBAL_SPACE_1: readonly (readonly [string, number, string])[] = [
  [
    'CBAR',
    0x000,
    'VMID 7:0, BPSHCFG 9:8, CBNDX 15:8, HYPC 10, FB 11, MemAttr 15:12, TYPE 17:16, BSU 19:18, RACFG 21:20, WACFG 23:22, IRPTNDX 31:24',
  ],
  ['CBFRSYNRA', 0x400, 'StreamID 15:0, SSD_Index 31:16'],
  ['CBA2R', 0x800, 'VA64 0, MONC 1, VMID16 31:16'],
];

const CONTEXT_BANK: readonly (readonly [string, number, string])[] = [
  [
    'SCTLR',
    0x000,
    'M 0, TRE 1, AFE 2, AFFD 3, E 4, CFRE 5, CFIE 6, CFCFG 7, HUPCF 8, WXN 9, UWXN 10, ASIDPNE 12, PTW 13, MemAttr 19:16, MTCFG 20, FB 21, SHCFG 23:22, RACFG 25:24, WACFG 27:26, NSCFG 29:28, UCI 30',
  ],
  ['ACTLR', 0x004, 'CMTLB 0, CPRE 1'],
  ['RESUME', 0x008, 'TnR 0'],
  ['TCR2', 0x010, 'PASize 2:0, AS 4, TBI0 5, TBI1 6, HAD0 8, HAD1 9, NSCFG0 14, SEP 17:15, NSCFG1 30'],
  ['TTBR0', 0x020, 'ADDRESS 47:4, ASID 63:48'],
  ['TTBR1', 0x028, 'ADDRESS 47:4, ASID 63:48'],
  [
    'TCR',
    0x030,
    'T0SZ 5:0, EPD0 7, IRGN0 9:8, ORGN0 11:10, SH0 13:12, TG0 15:14, T1SZ 21:16, A1 22, EPD1 23, IRGN1 25:24, ORGN1 27:26, SH1 29:28, TG1 31:30, EAE 31',
  ],
  ['TCR_STAGE2', 0x030, 'T0SZ 5:0, SL0 7:6, IRGN0 9:8, ORGN0 11:10, SH0 13:12, TG0 15:14, PASize 18:16, EAE 31'],
  ['CONTEXTIDR', 0x034, 'ASID 7:0, PROCID 31:8'],
  ['MAIR0', 0x038, 'Attr0 7:0, Attr1 15:8, Attr2 23:16, Attr3 31:24'],
  ['MAIR1', 0x03c, 'Attr4 7:0, Attr5 15:8, Attr6 23:16, Attr7 31:24'],
  ['PAR', 0x050, 'F 0, FAULT 8:1, ADDRESS 47:12'],
  ['FSR', 0x058, FSR],
  ['FSRRESTORE', 0x05c, FSR],
  ['FAR', 0x060, 'FADDR 51:0'],
  [
    'FSYNR0',
    0x068,
    'PLVL 1:0, NESTED 2, S1PTWF 3, WNR 4, PNU 5, IND 6, NSSTATE 7, NSATTR 8, ATOF 9, PTWF 10, AFR 11, S1CBNDX 23:16',
  ],
  ['FSYNR1', 0x06c, ''],
  ['IPAFAR', 0x070, 'FADDR 51:12'],
  ['TLBIVA', 0x600, TLBI],
  ['TLBIVA_AARCH32', 0x600, 'ASID 7:0, VA 31:12'],
  ['TLBIVAA', 0x608, TLBI],
  ['TLBIASID', 0x610, 'ASID 15:0'],
  ['TLBIALL', 0x618, ''],
  ['TLBIVAL', 0x620, TLBI],
  ['TLBIVAAL', 0x628, TLBI],
  ['TLBIIPAS2', 0x630, 'IPA_43_12 31:0, IPA_47_44 35:32'],
  ['TLBIIPAS2L', 0x638, 'IPA_43_12 31:0, IPA_47_44 35:32'],
  ['TLBSYNC', 0x7f0, ''],
  ['TLBSTATUS', 0x7f4, 'SACTIVE 0'],
  ['ATS1PR', 0x800, 'ADDRESS 51:12'],
  ['ATSR', 0x8f0, 'ACTIVE 0'],
];

const ALL = [...GLOBAL_SPACE_0, ...GLOBAL_SPACE_1, ...CONTEXT_BANK];

test.each(ALL)('%s', (name, offset, ranges) => {
  const declaration = regs[name as keyof typeof regs] as unknown as { readonly offset: number };
  expect(declaration.offset).toBe(offset);
  expect(rangesOf(declaration)).toBe(ranges);
});

test('no register is missing here', () => {
  const declared = Object.entries(regs as Record<string, unknown>)
    .filter(([, value]) => typeof value === 'object' && value !== null && 'offset' in value)
    .map(([name]) => name);
  expect(declared.sort()).toEqual(ALL.map(([name]) => name).sort());
});

test('arrays have 128 words', () => {
  const { SMR, S2CR, CBAR, CBFRSYNRA, CBA2R } = regs;
  expect([SMR, S2CR, CBAR, CBFRSYNRA, CBA2R].map(({ nr }) => nr)).toEqual([128, 128, 128, 128, 128]);
});

test('the values of fields', () => {
  expect(regs.S2CR_TYPE).toEqual({ TRANSLATE: 0, BYPASS: 1, FAULT: 2 });
  expect(regs.S2CR_PRIVCFG).toEqual({ DEFAULT: 0, UNPRIVILEGED: 2, PRIVILEGED: 3 });
  expect(regs.S2CR_INSTCFG).toEqual({ DEFAULT: 0, DATA: 2, INSTRUCTION: 3 });
  expect(regs.CBAR_TYPE).toEqual({ STAGE2: 0, STAGE1_BYPASS: 1, STAGE1_FAULT: 2, STAGE1_STAGE2: 3 });
  expect(regs.BPSHCFG).toEqual({ OUTER: 1, INNER: 2, NON: 3 });
  expect(regs.IDR0_PTFS).toEqual({ LONG_AND_SHORT: 0, LONG: 1, NONE: 2 });
  expect(regs.ARCHITECTURE).toEqual({ V1: 1, V2: 2 });
  expect(regs.FSR_FORMAT).toEqual({ AARCH32_SHORT: 0, AARCH32_LONG: 1, AARCH64: 2 });
  expect(regs.TCR2_SEP).toEqual({ BIT31: 0, BIT35: 1, BIT39: 2, BIT41: 3, BIT43: 4, BIT47: 5, UPSTREAM: 7 });
  expect(regs.RESUME_TNR).toEqual({ RETRY: 0, TERMINATE: 1 });
  expect(regs.TG0_BYTES).toEqual([0x1000, 0x1_0000, 0x4000, 0]);
  expect(regs.TG1_BYTES).toEqual([0, 0x4000, 0x1000, 0x1_0000]);
  expect(regs.ADDRESS_SIZE_BITS.slice(0, 6)).toEqual([32, 36, 40, 42, 44, 48]);
  expect(regs.UPSTREAM_BUS_BITS).toEqual([32, 36, 40, 42, 44, 49]);
});

test.each([
  // PAGESIZE, NUMPAGENDXB; sizes of known frames: ZynqMP's, Juno's, LX2160A's, SDM845's.
  [0x3000_0010, { pageBytes: 0x1000, nrPages: 16, sizeBytes: 0x2_0000, globalSpace1: 0x1000, contextBanks: 0x1_0000 }],
  [0x2004_0004, { pageBytes: 0x1000, nrPages: 8, sizeBytes: 0x1_0000, globalSpace1: 0x1000, contextBanks: 0x8000 }],
  [
    0xd000_0040,
    { pageBytes: 0x1_0000, nrPages: 64, sizeBytes: 0x80_0000, globalSpace1: 0x1_0000, contextBanks: 0x40_0000 },
  ],
  [0x5000_0040, { pageBytes: 0x1000, nrPages: 64, sizeBytes: 0x8_0000, globalSpace1: 0x1000, contextBanks: 0x4_0000 }],
])('the register spaces of IDR1 %#x', (idr1, layout) => {
  expect(regs.registerLayout(idr1)).toEqual(layout);
});
