// SPDX-License-Identifier: Apache-2.0
// Bit ranges and encodings as Arm DDI 0487 prints them in chapter D8: "Translation table descriptor formats", "Memory attribute
// fields", "Translation granules" and the registers TCR_EL1 and VTCR_EL2.

import * as descriptors from '../src/descriptors.js';

type Ranged = { readonly hi: number; readonly lo: number };

/** Every field as the manual's `name hi:lo`, lowest first. */
function rangesOf(declaration: object): string {
  return Object.entries(declaration)
    .filter((entry): entry is [string, Ranged] => typeof entry[1] === 'function')
    .sort(([, a], [, b]) => a.lo - b.lo || a.hi - b.hi)
    .map(([name, { hi, lo }]) => (hi === lo ? `${name} ${hi}` : `${name} ${hi}:${lo}`))
    .join(', ');
}

it.each([
  ['DESCRIPTOR', 'Valid 0, Type 1, OutputAddress_51_48 15:12, OutputAddress 47:12'],
  [
    'LOW_WORD',
    'Valid 0, ValidAndType 1:0, AttrIndx 4:2, MemAttr 5:2, AP 7:6, S2AP 7:6, SH 9:8, AF 10, nG 11, OutputAddress_51_48 15:12',
  ],
  ['HIGH_WORD', 'OutputAddress_47_32 15:0, XN 22:21, XNTables 28:27, APTable 30:29'],
  ['TABLE', 'PXNTable 59, XNTable 60, APTable 62:61, NSTable 63'],
  ['STAGE1', 'AttrIndx 4:2, NS 5, AP 7:6, SH 9:8, AF 10, nG 11, DBM 51, Contiguous 52, PXN 53, UXN 54'],
  ['STAGE2', 'MemAttr 5:2, S2AP 7:6, SH 9:8, AF 10, DBM 51, Contiguous 52, XN 54:53'],
] as const)('the fields of %s', (name, ranges) => {
  expect(rangesOf(descriptors[name])).toBe(ranges);
});

it.each([
  ['ENTRY', { BLOCK: 1, TABLE_OR_PAGE: 3 }],
  ['AP', { RW_PRIVILEGED: 0, RW: 1, RO_PRIVILEGED: 2, RO: 3 }],
  ['AP_TABLE', { NO_UNPRIVILEGED: 1, READ_ONLY: 2 }],
  ['S2AP', { NONE: 0, READ: 1, WRITE: 2 }],
  ['S2XN', { NONE: 0, PRIVILEGED: 1, ALL: 2, UNPRIVILEGED: 3 }],
  ['MEM_ATTR', { DEVICE_nGnRE: 1, NORMAL_NON_CACHEABLE: 5, NORMAL_WRITE_BACK: 15 }],
  ['SHAREABILITY', { NON: 0, OUTER: 2, INNER: 3 }],
] as const)('the values of %s', (name, values) => {
  expect(descriptors[name]).toEqual(values);
});

it.each([
  [0x1000, 12, 9, 0, 48],
  [0x4000, 14, 11, 0, 48],
  [0x1_0000, 16, 13, 1, 52],
])('a granule of %d bytes', (bytes, pageBits, indexBits, firstLevel, addressBits) => {
  expect(descriptors.GRANULES[bytes]).toEqual({ pageBits, indexBits, firstLevel, addressBits });
});

it.each([
  [0x1000, [39, 30, 21, 12], [false, true, true, true]],
  [0x4000, [47, 36, 25, 14], [false, false, true, true]],
  [0x1_0000, [55, 42, 29, 16], [false, false, true, true]],
])('levels of a granule of %d bytes', (bytes, bits, areLeaves) => {
  const granule = descriptors.GRANULES[bytes]!;
  expect([0, 1, 2, 3].map((level) => descriptors.entryBits(granule, level))).toEqual(bits);
  expect([0, 1, 2, 3].map((level) => descriptors.isLeafLevel(granule, level, 48))).toEqual(areLeaves);
});

it('blocks of 4T are for 52 address bits', () => {
  expect(descriptors.isLeafLevel(descriptors.GRANULES[0x1_0000]!, 1, 52)).toBe(true);
});
