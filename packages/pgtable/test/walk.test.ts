// SPDX-License-Identifier: Apache-2.0
// Walks of tables written by hand: each kind of fault, the order of the checks, permissions and their hierarchy. Arm DDI 0487,
// chapter D8.

import { runs, seed } from '@irqkit-test/env';
import { createRegime, createWalker, stage2StartLevel, walkResult } from '@irqkit/pgtable/walk';
import { WALK_ACCESS, WALK_FAULT, WALK_PERM } from '@irqkit/pgtable/walk';
import type { RegimeOptions, TranslateTable, WalkResult } from '@irqkit/pgtable/walk';
import fc from 'fast-check';
import { KIB16, KIB4, KIB64 } from './tables.js';

const { WRITE, PRIVILEGED, INSTRUCTION } = WALK_ACCESS;
const S1: RegimeOptions = { stage: 1, granuleBytes: KIB4, inputBits: 39, ttb: 0x1000, outputBits: 44 };
const S2: RegimeOptions = { ...S1, stage: 2, startLevel: 1 };
const PAGE = 0x743n;

/** Walks tables at 0x1000 (level 1), 0x2000 (level 2) and 0x3000 (level 3) for one input address. */
function look(
  options: Partial<RegimeOptions>,
  words: Readonly<Record<number, bigint>>,
  {
    address = 0n,
    access = 0,
    translateTable,
  }: { address?: bigint; access?: number; translateTable?: TranslateTable } = {},
): WalkResult {
  const regime = createRegime({ ...S1, ...options });
  if (regime === undefined) throw new Error('no such regime');
  const result = walkResult();
  const fetch = (pa: number, into: Uint32Array): boolean => {
    if (pa >= 0x10_0000) return false;
    const value = words[pa] ?? 0n;
    into[0] = Number(value & 0xffff_ffffn);
    into[1] = Number(value >> 32n);
    return true;
  };
  const walk = createWalker(fetch, translateTable);
  expect(walk(regime, Number(address >> 32n), Number(address & 0xffff_ffffn), access, result)).toBe(result.fault);
  return result;
}

/** Three levels to a page. */
const toPage = (leaf: bigint, level1 = 0n, level2 = 0n) => ({
  0x1000: 0x2003n | level1,
  0x2000: 0x3003n | level2,
  0x3000: leaf,
});

describe('faults', () => {
  it.each([
    ['an invalid entry at level 1', {}, {}, WALK_FAULT.TRANSLATION, 1],
    ['an invalid entry at level 2', {}, { 0x1000: 0x2003n }, WALK_FAULT.TRANSLATION, 2],
    ['an invalid page, whatever its other bits', {}, toPage(0x746n), WALK_FAULT.TRANSLATION, 3],
    ['a block at level 3', {}, toPage(0x741n), WALK_FAULT.TRANSLATION, 3],
    ['a block at level 0', { inputBits: 48 }, { 0x1000: 0x741n }, WALK_FAULT.TRANSLATION, 0],
    [
      'a block of 64G',
      { granuleBytes: KIB16, inputBits: 47, ttb: 0x4000 },
      { 0x4000: 0x741n },
      WALK_FAULT.TRANSLATION,
      1,
    ],
    [
      'a block of 4T, 48 bits',
      { granuleBytes: KIB64, inputBits: 48, outputBits: 48 },
      { 0x1000: 0x741n },
      WALK_FAULT.TRANSLATION,
      1,
    ],
    ['a table beyond the output size', {}, { 0x1000: (2n ** 44n) | 3n }, WALK_FAULT.ADDRESS_SIZE, 1],
    ['a page beyond it', {}, toPage((2n ** 44n) | PAGE), WALK_FAULT.ADDRESS_SIZE, 3],
    ['the first table beyond it', { ttb: 2 ** 44 }, {}, WALK_FAULT.ADDRESS_SIZE, 0],
    ['a table that is not in memory', {}, { 0x1000: 0x10_0003n }, WALK_FAULT.EXTERNAL_ABORT, 2],
    ['a page without AF', {}, toPage(0x343n), WALK_FAULT.ACCESS_FLAG, 3],
    ['a page for privileged accesses alone', {}, toPage(0x703n), WALK_FAULT.PERMISSION, 3],
    ['stage 2 without reads', { ...S2 }, toPage(0x783n), WALK_FAULT.PERMISSION, 3],
  ] as const)('of %s', (_, options, words, fault, level) => {
    expect(look(options, words)).toMatchObject({ fault, level });
  });

  it('are looked for in the order translation, address size, access flag, permission', () => {
    const all = 2n ** 44n;
    expect(look({}, toPage(all | 0x2n)).fault).toBe(WALK_FAULT.TRANSLATION);
    expect(look({}, toPage(all | 0x3n)).fault).toBe(WALK_FAULT.ADDRESS_SIZE);
    expect(look({}, toPage(0x3n)).fault).toBe(WALK_FAULT.ACCESS_FLAG);
    expect(look({}, toPage(0x403n)).fault).toBe(WALK_FAULT.PERMISSION);
  });

  it('leave hierarchical permissions for the leaf', () => {
    const readOnlyTable = 2n << 61n;
    expect(look({}, toPage(0x343n, readOnlyTable), { access: WRITE }).fault).toBe(WALK_FAULT.ACCESS_FLAG);
    expect(look({}, toPage(0n, readOnlyTable), { access: WRITE }).fault).toBe(WALK_FAULT.TRANSLATION);
    expect(look({}, toPage(PAGE, readOnlyTable), { access: WRITE }).fault).toBe(WALK_FAULT.PERMISSION);
  });

  it('of the access flag are not there with AFFD', () => {
    expect(look({ accessFlagFaults: false }, toPage(0x343n)).fault).toBe(WALK_FAULT.NONE);
  });
});

describe('addresses', () => {
  it('come from page and offset', () => {
    const address = 0x12_3456_7abcn;
    const words = { 0x1240: 0x2003n, 0x2d10: 0x3003n, 0x3b38: 0x8_9abc_d743n };
    expect(look({}, words, { address })).toMatchObject({
      fault: WALK_FAULT.NONE,
      level: 3,
      pa: 0x8_9abc_dabc,
      leafBytes: KIB4,
      descriptorAddress: 0x3b38,
    });
  });

  it.each([
    [{}, { 0x1000: 0xc000_0741n }, 0x3fff_ffffn, 0xffff_ffff, 2 ** 30, 1],
    [{}, { 0x1000: 0x2003n, 0x2008: 0x60_0741n }, 0x3f_fff8n, 0x7f_fff8, 2 ** 21, 2],
    [{ granuleBytes: KIB16, inputBits: 36, ttb: 0x4000 }, { 0x4008: 0x600_0741n }, 0x2ab_cdefn, 0x6ab_cdef, 2 ** 25, 2],
    [{ granuleBytes: KIB64, inputBits: 42 }, { 0x1_0008: 0x4000_0741n }, 0x2abc_def0n, 0x4abc_def0, 2 ** 29, 2],
    [
      { granuleBytes: KIB64, inputBits: 48, outputBits: 52 },
      { 0x1008: (2n ** 42n) | 0xf741n },
      0x400_1234_5678n,
      0xf * 2 ** 48 + 2 ** 42 + 0x1234_5678,
      2 ** 42,
      1,
    ],
  ] as const)('come from blocks: %j', (options, words, address, pa, leafBytes, level) => {
    const ttb = 'inputBits' in options && options.inputBits === 42 ? { ttb: 0x1_0000 } : {};
    expect(look({ ...options, ...ttb }, words, { address })).toMatchObject({ fault: 0, pa, leafBytes, level });
  });

  it('above the input size are not translated', () => {
    for (const address of [2n ** 39n, 2n ** 63n, 2n ** 56n, 0xffff_ff80_0000_0000n])
      expect(look({}, toPage(PAGE), { address })).toMatchObject({ fault: WALK_FAULT.TRANSLATION, level: 0 });
  });

  it('have a top byte that TBI ignores', () => {
    expect(look({ tbi: true }, toPage(PAGE), { address: 0xa5n << 56n }).fault).toBe(WALK_FAULT.NONE);
    expect(look({ tbi: true }, toPage(PAGE), { address: 1n << 55n }).fault).toBe(WALK_FAULT.TRANSLATION);
  });

  it('of TTB1 are all ones above', () => {
    const address = 0xffff_ff80_0000_0000n;
    expect(look({ upper: true }, toPage(PAGE), { address }).fault).toBe(WALK_FAULT.NONE);
    expect(look({ upper: true }, toPage(PAGE)).fault).toBe(WALK_FAULT.TRANSLATION);
    const tagged = 0x5aff_ff80_0000_0000n;
    expect(look({ upper: true }, toPage(PAGE), { address: tagged }).fault).toBe(WALK_FAULT.TRANSLATION);
    expect(look({ upper: true, tbi: true }, toPage(PAGE), { address: tagged }).fault).toBe(WALK_FAULT.NONE);
  });

  it('of stage 2 go through tables side by side', () => {
    const concatenated = { ...S2, inputBits: 40, ttb: 0x2000 };
    expect(look(concatenated, { 0x3000: 0xc000_0741n }, { address: 2n ** 39n })).toMatchObject({
      fault: 0,
      pa: 0xc000_0000,
    });
  });

  it('ignore the Contiguous bit', () => {
    expect(look({}, toPage(PAGE | (1n << 52n)))).toMatchObject({ fault: 0, leafBytes: KIB4 });
  });
});

describe('permissions', () => {
  const { USER_READ, USER_WRITE, USER_EXECUTE, PRIVILEGED_READ, PRIVILEGED_WRITE, PRIVILEGED_EXECUTE } = WALK_PERM;
  const UR = USER_READ;
  const UW = USER_WRITE;
  const UX = USER_EXECUTE;
  const PR = PRIVILEGED_READ;
  const PW = PRIVILEGED_WRITE;
  const PX = PRIVILEGED_EXECUTE;
  const UXN = 1n << 54n;
  const PXN = 1n << 53n;

  it.each([
    ['AP 00', {}, 0x703n, 0n, PR | PW | PX | UX],
    ['AP 01: what unprivileged software writes, privileged does not execute', {}, 0x743n, 0n, UR | UW | UX | PR | PW],
    ['AP 10', {}, 0x783n, 0n, PR | PX | UX],
    ['AP 11', {}, 0x7c3n, 0n, UR | UX | PR | PX],
    ['UXN', {}, 0x7c3n | UXN, 0n, UR | PR | PX],
    ['PXN', {}, 0x7c3n | PXN, 0n, UR | UX | PR],
    ['APTable 01', {}, 0x743n, 1n << 61n, PR | PW | UX | PX],
    ['APTable 10', {}, 0x743n, 2n << 61n, UR | UX | PR | PX],
    ['XNTable', {}, 0x7c3n, 1n << 60n, UR | PR | PX],
    ['PXNTable', {}, 0x7c3n, 1n << 59n, UR | UX | PR],
    ['tables with HPD', { hierarchyDisabled: true }, 0x7c3n, 0xfn << 59n, UR | UX | PR | PX],
    ['WXN', { wxn: true }, 0x703n, 0n, PR | PW | UX],
    ['WXN, unprivileged writes', { wxn: true }, 0x743n, 0n, UR | UW | PR | PW],
    ['PAN', { pan: true }, 0x7c3n, 0n, UR | UX | PX],
    ['PAN, privileged alone', { pan: true }, 0x703n, 0n, PR | PW | PX | UX],
    ['one privilege level', { onePrivilege: true }, 0x703n | PXN, 1n << 61n, UR | UW | UX | PR | PW | PX],
    ['one privilege level, XN', { onePrivilege: true }, 0x783n | UXN, 0n, UR | PR],
    ['one privilege level, WXN', { onePrivilege: true, wxn: true }, 0x703n, 0n, UR | UW | PR | PW],
    ['S2AP 01', S2, 0x743n, 0n, UR | UX | PR | PX],
    ['S2AP 10', S2, 0x783n, 0n, UW | UX | PW | PX],
    ['S2AP 11, XN 10', S2, 0x7c3n | UXN, 0n, UR | UW | PR | PW],
    ['S2AP 11, XN 01, no XNX', S2, 0x7c3n | PXN, 0n, UR | UW | UX | PR | PW | PX],
    ['S2AP 11, XN 11, no XNX', S2, 0x7c3n | PXN | UXN, 0n, UR | UW | PR | PW],
    ['S2AP 11, XN 01', { ...S2, xnx: true }, 0x7c3n | PXN, 0n, UR | UW | UX | PR | PW],
    ['S2AP 11, XN 11', { ...S2, xnx: true }, 0x7c3n | PXN | UXN, 0n, UR | UW | PR | PW | PX],
    ['stage 2 has no hierarchy', S2, 0x7c3n, 0xfn << 59n, UR | UW | UX | PR | PW | PX],
  ] as const)('of %s', (_, options, leaf, table, perms) => {
    for (const [access, needed] of [
      [0, UR],
      [WRITE, UW],
      [INSTRUCTION, UX],
      [PRIVILEGED, PR],
      [PRIVILEGED | WRITE, PW],
      [PRIVILEGED | INSTRUCTION, PX],
    ]) {
      const result = look(options, toPage(leaf, 0n, table), { access });
      expect(result.perms).toBe(perms);
      expect(result.fault).toBe((perms & needed) === 0 ? WALK_FAULT.PERMISSION : WALK_FAULT.NONE);
    }
  });

  it('come with memory attributes', () => {
    expect(look({}, toPage(0xf4fn))).toMatchObject({ memAttr: 3, shareability: 3, notGlobal: true });
    expect(look(S2, toPage(0x67fn))).toMatchObject({ memAttr: 0xf, shareability: 2, notGlobal: false });
  });
});

describe('nested', () => {
  const words = toPage(PAGE);
  const moved = Object.fromEntries(Object.entries(words).map(([at, value]) => [Number(at) + 0x8_0000, value]));

  it('every stage 1 table is where stage 2 says', () => {
    const asked: number[] = [];
    const translateTable = (ipa: number) => {
      asked.push(ipa);
      return ipa + 0x8_0000;
    };
    expect(look({}, moved, { translateTable }).fault).toBe(WALK_FAULT.NONE);
    expect(asked).toEqual([0x1000, 0x2000, 0x3000]);
  });

  it('what stage 2 does not translate is a fault of its own', () => {
    const translateTable = (ipa: number) => (ipa === 0x2000 ? -1 : ipa + 0x8_0000);
    const result = look({}, moved, { translateTable });
    expect(result).toMatchObject({ fault: WALK_FAULT.TABLE, level: 2, descriptorAddress: 0x2000 });
  });

  it('stage 2 itself asks nobody', () => {
    const translateTable = () => -1;
    expect(look(S2, toPage(0x7c3n), { translateTable }).fault).toBe(WALK_FAULT.NONE);
  });
});

describe('regimes that the architecture has not', () => {
  it.each([
    [{ granuleBytes: 0x2000 }],
    [{ inputBits: 49 }],
    [{ inputBits: 12 }],
    [{ granuleBytes: KIB64, inputBits: 53 }],
    [{ ...S2, inputBits: 44 }],
    [{ ...S2, inputBits: 30 }],
    [{ ...S2, startLevel: undefined }],
    [{ ...S2, granuleBytes: KIB64, startLevel: 0 }],
  ])('%j', (options) => expect(createRegime({ ...S1, ...options })).toBeUndefined());

  it.each([
    [KIB4, 2, 44, 0],
    [KIB4, 2, 42, undefined],
    [KIB4, 1, 32, 1],
    [KIB4, 0, 32, 2],
    [KIB4, 3, 48, undefined],
    [KIB16, 2, 42, 1],
    [KIB16, 2, 40, undefined],
    [KIB16, 0, 32, 3],
    [KIB64, 2, 44, 1],
    [KIB64, 2, 42, undefined],
    [KIB64, 1, 42, 2],
    [0, 0, 48, undefined],
  ])('granule %d, SL0 %d, %d bits: level %p', (granuleBytes, sl0, paBits, level) => {
    expect(stage2StartLevel(granuleBytes, sl0, paBits)).toBe(level);
  });
});

it('nothing in tables makes a walk throw, or go further than it may', () => {
  const word = fc.tuple(fc.nat(), fc.nat(0xff), fc.constantFrom(0, 1, 3, 3, 3, 0x743, 0x741));
  const regimes = fc.record({
    stage: fc.constantFrom(1 as const, 2 as const),
    granuleBytes: fc.constantFrom(KIB4, KIB16, KIB64),
    inputBits: fc.integer({ min: 16, max: 52 }),
    startLevel: fc.nat(3),
    ttb: fc.nat(2 ** 31 - 1),
    outputBits: fc.constantFrom(32, 36, 40, 42, 44, 48, 52),
    upper: fc.boolean(),
    tbi: fc.boolean(),
    wxn: fc.boolean(),
    pan: fc.boolean(),
    xnx: fc.boolean(),
    onePrivilege: fc.boolean(),
  });
  const inputs = fc.tuple(
    regimes,
    fc.array(word, { minLength: 4, maxLength: 4 }),
    fc.nat(),
    fc.nat(),
    fc.nat(7),
    fc.nat(9),
  );
  const result = walkResult();
  let nrTranslated = 0;
  fc.assert(
    fc.property(inputs, ([options, words, hi, lo, access, aborts]) => {
      const regime = createRegime(options);
      if (regime === undefined) return;
      let nrFetched = 0;
      const fetch = (pa: number, into: Uint32Array): boolean => {
        // Of a million walks, an expectation each time would take the longer part.
        if (!(Number.isInteger(pa / 8) && pa >= 0 && pa < 2 ** options.outputBits)) expect(pa).toBe('fetched');
        if (nrFetched === aborts) return false;
        const [low, high, type] = words[nrFetched++];
        into[0] = (low & ~0xfff) | type;
        into[1] = high;
        return true;
      };
      const inputHi = options.upper ? ~0 << 20 : options.tbi ? hi & 0xff00_0000 : 0;
      const fault = createWalker(fetch)(regime, inputHi, lo, access, result);
      if (nrFetched > 4) expect(nrFetched).toBeLessThanOrEqual(4);
      if (fault !== WALK_FAULT.NONE) return;
      nrTranslated++;
      if (!(result.pa < 2 ** options.outputBits)) expect(result.pa).toBeLessThan(2 ** options.outputBits);
      if (Math.log2(result.leafBytes) % 1 !== 0) expect(result.leafBytes).toBe('a power of two');
    }),
    { seed, numRuns: runs(5000, 1_000_000) },
  );
  expect(nrTranslated).toBeGreaterThan(0);
});
