// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { IovaDomain, LinuxError, iova } from '@irqkit/core';
import type { Iova } from '@irqkit/core';
import { runs, seed } from '@irqkit-test/env';
import { GIB, KIB4, KIB64, MIB2 } from './fake-domain-ops.js';

const GIB4 = 2 ** 32;
const LAST48 = iova(2 ** 48 - 1);

const space = (last: Iova = LAST48, granuleBytes = KIB4, first: Iova = iova(0)) =>
  new IovaDomain({ place: '/smmu@9050000', granuleBytes, range: { first, last } });

/**
 * What Linux 6.1 answers while nothing is freed: sizes below 32 pages are rounded to a power of two, all are aligned to one,
 * and each lies below the one before (alloc_iova_fast, __alloc_and_insert_iova_range).
 */
function firstOfLinux(nrPages: readonly number[]): number[] {
  let cursor = GIB4 / KIB4;
  return nrPages.map((asked) => {
    const align = 2 ** Math.ceil(Math.log2(asked));
    const size = asked < 32 ? align : asked;
    cursor = Math.floor((cursor - size) / align) * align;
    return cursor * KIB4;
  });
}

describe('the first allocations', () => {
  it('R14: are the highest pages below 4 GiB', () => {
    const iovas = space();
    expect([1, 2, 3].map(() => iovas.alloc(KIB4))).toEqual([0xffff_f000, 0xffff_e000, 0xffff_d000]);
    expect(iovas.nrAllocated).toBe(3);
  });

  it.each([
    [0x4000, 0xffff_c000],
    [KIB64, 0xffff_0000],
  ])('R14: with pages of %i bytes too', (granuleBytes, first) => {
    const iovas = space(LAST48, granuleBytes);
    expect([iovas.alloc(1), iovas.alloc(granuleBytes)]).toEqual([first, first - granuleBytes]);
  });

  it.each([
    [[1, 2, 4, 8, 16, 31, 32]],
    [[3, 3, 3]],
    [[33, 33, 40, 64, 65]],
    [[100, 32, 17, 5, 1, 1]],
    [[512, 512, 1024]],
  ])('are where Linux has them: %j pages', (nrPages) => {
    const iovas = space();
    expect(nrPages.map((nr) => iovas.alloc(nr * KIB4))).toEqual(firstOfLinux(nrPages));
  });

  it('are where Linux has them, whatever the sizes, as long as they grow or shrink', () => {
    const powers = [1, 2, 4, 8, 16, 32, 64, 128, 256];
    const size = fc.oneof(fc.integer({ min: 1, max: 31 }), fc.constantFrom(...powers));
    const sizes = fc.array(size, { maxLength: 200 });
    fc.assert(
      fc.property(sizes, fc.boolean(), (nrPages, grow) => {
        const order = (nr: number) => Math.ceil(Math.log2(nr));
        const sorted = nrPages.sort((a, b) => (grow ? order(a) - order(b) : order(b) - order(a)));
        const iovas = space();
        expect(sorted.map((nr) => iovas.alloc(nr * KIB4))).toEqual(firstOfLinux(sorted));
      }),
      { numRuns: runs(50, 1000), seed },
    );
  });

  it('above 4 GiB come when there is no room below, from the limit down', () => {
    const iovas = space();
    expect(iovas.alloc(2 * GIB)).toBe(2 * GIB);
    expect(iovas.alloc(2 * GIB)).toBe(2 ** 48 - 2 * GIB);
    expect(iovas.alloc(4 * GIB)).toBe(2 ** 48 - 8 * GIB);
    expect(iovas.alloc(GIB)).toBe(GIB);
  });

  it('stop at the range, in whole pages', () => {
    expect(space(iova(0x1_2345)).alloc(KIB4)).toBe(0x1_1000);
    expect(space(iova(2 ** 52 - 1), KIB4, iova(GIB4)).alloc(KIB4)).toBe(2 ** 52 - KIB4);
    const iovas = space(iova(0x2fff));
    expect([iovas.alloc(1), iovas.alloc(1)]).toEqual([0x2000, 0x1000]);
    expect(() => iovas.alloc(1)).toThrow('/smmu@9050000: no IOVAs for 0x1 bytes up to 0x2fff (ENOSPC)');
  });
});

describe('a limit', () => {
  it('keeps allocations below it, and leaves what is above to others', () => {
    const iovas = space();
    const limits = [2 ** 30 - 1, 2 ** 31 - 1, 0x2fff_ffff, 2 ** 30 - 1].map(iova);
    expect(limits.map((last) => iovas.alloc(KIB4, last))).toEqual([0x3fff_f000, 0x7fff_f000, 0x2fff_f000, 0x3fff_e000]);
    expect(iovas.alloc(KIB4)).toBe(0xffff_f000);
    expect(() => iovas.alloc(KIB4, iova(0xfff))).toThrow('ENOSPC');
  });

  it('counts above 4 GiB as well', () => {
    const iovas = space();
    iovas.reserve(iova(0), GIB4);
    const limits = [2 ** 40 - 1, 2 ** 48 - 1, 2 ** 36 + 0x1234, 2 ** 52 - 1].map(iova);
    const taken = limits.map((last) => iovas.alloc(KIB4, last));
    expect(taken).toEqual([2 ** 40 - KIB4, 2 ** 48 - KIB4, 2 ** 36, 2 ** 48 - 2 * KIB4]);
    for (const at of taken) iovas.free(at);
    expect(iovas.nrAllocated).toBe(0);
  });

  it('is kept by what was freed, too', () => {
    const iovas = space();
    const [high, low] = [iovas.alloc(KIB4), iovas.alloc(KIB4, iova(2 ** 30 - 1))];
    iovas.free(low);
    iovas.free(high);
    expect(iovas.alloc(KIB4, iova(2 ** 30 - 1))).toBe(low);
    const within = space(iova(0xfff_ffff));
    const [a, b] = [within.alloc(KIB4), within.alloc(KIB4)];
    within.free(b);
    within.free(a);
    expect(within.alloc(KIB4, iova(a - 1))).toBe(0xfff_d000);
    within.free(iova(0xfff_d000));
    expect(within.alloc(KIB4, iova(a - 1))).toBe(0xfff_d000);
  });
});

describe('what is reserved', () => {
  it('is never given out', () => {
    const iovas = space();
    iovas.reserve(iova(0xfee0_0000), 0x10_0000);
    iovas.reserve(iova(0xffff_f800), 0x400);
    expect(iovas.alloc(KIB4)).toBe(0xffff_e000);
    expect(iovas.alloc(8 * MIB2)).toBe(0xfd00_0000);
    iovas.reserve(iova(0xffff_f000), KIB4);
    expect(iovas.alloc(KIB4)).toBe(0xffff_d000);
  });

  it('does not draw allocations to its edges', () => {
    const iovas = space();
    iovas.reserve(iova(0xff80_1000), 0x3000);
    iovas.reserve(iova(0xfffe_0000), KIB4);
    const first = Array.from({ length: 0x30 }, () => iovas.alloc(KIB4));
    const expected = Array.from({ length: 0x31 }, (_, i) => 0xffff_f000 - i * KIB4).filter((at) => at !== 0xfffe_0000);
    expect(first).toEqual(expected);
  });

  it('may be the windows of a host bridge, larger than memory', () => {
    const iovas = space(iova(2 ** 40 - 1));
    iovas.reserve(iova(0x1000_0000), 0x2eff_0000);
    iovas.reserve(iova(0x80_0000_0000), 0x80_0000_0000);
    iovas.reserve(iova(0x4000_0000), 3 * GIB);
    expect([1, 2, 3].map(() => iovas.alloc(KIB4))).toEqual([0x3fff_f000, 0x3fff_e000, 0x3fff_d000]);
    expect(iovas.alloc(512 * MIB2)).toBe(0x80_0000_0000 - GIB);
    expect(iovas.alloc(KIB4)).toBe(0x3fff_c000);
  });

  it('was not in use', () => {
    const iovas = space();
    const taken = iovas.alloc(4 * KIB4);
    expect(() => iovas.reserve(iova(taken - MIB2), 2 * MIB2)).toThrow('EBUSY');
    iovas.free(taken);
    iovas.reserve(iova(taken - MIB2), 2 * MIB2);
    expect(iovas.alloc(4 * KIB4)).toBe(taken - MIB2 - 4 * KIB4);
  });
});

describe('freeing', () => {
  it('takes what begins an allocation, once', () => {
    const iovas = space();
    const at = iovas.alloc(4 * KIB4);
    for (const wrong of [at + KIB4, at + 1, at - KIB4, 0, 2 ** 47, 2 ** 47 + 0.5])
      expect(() => iovas.free(wrong as Iova)).toThrow('EINVAL');
    expect([4, 3, 2, 5].map((nr) => iovas.holds(at, nr * KIB4))).toEqual([true, true, false, false]);
    iovas.free(at);
    expect(iovas.holds(at, 4 * KIB4)).toBe(false);
    expect(() => iovas.free(at)).toThrow(/^\/smmu@9050000: no allocation begins at 0xffffc000 \(EINVAL\)$/);
    expect(iovas.alloc(4 * KIB4)).toBe(at);
  });

  it('gives back the last block of its size that was freed', () => {
    const iovas = space();
    const taken = [1, 2, 3].map(() => iovas.alloc(KIB4));
    iovas.free(taken[0]);
    iovas.free(taken[2]);
    expect([iovas.alloc(KIB4), iovas.alloc(KIB4)]).toEqual([taken[2], taken[0]]);
  });

  it('joins neighbours before anything fails', () => {
    const iovas = space(iova(64 * KIB4 - 1));
    const pages = Array.from({ length: 63 }, () => iovas.alloc(KIB4));
    expect(() => iovas.alloc(KIB4)).toThrow('ENOSPC');
    for (const page of pages) iovas.free(page);
    expect(iovas.alloc(32 * KIB4)).toBe(32 * KIB4);
    expect(iovas.alloc(16 * KIB4)).toBe(16 * KIB4);
  });

  it('holds more than the magazines do', () => {
    const iovas = space();
    const pages = Array.from({ length: 1000 }, () => iovas.alloc(KIB4));
    expect(pages).toEqual(pages.map((_, i) => 0xffff_f000 - i * KIB4));
    for (const page of pages) iovas.free(page);
    expect(new Set(pages.map(() => iovas.alloc(KIB4)))).toEqual(new Set(pages));
  });

  it.each([[0], [-1], [NaN]])('refuses an allocation of %d bytes', (sizeBytes) => {
    expect(() => space().alloc(sizeBytes)).toThrow('EINVAL');
  });

  it('refuses what no window could hold', () => {
    expect(() => space(iova(2 ** 52 - 1)).alloc(2 ** 39)).toThrow('ENOSPC');
  });
});

describe('any sequence', () => {
  /** Pages around 4 GiB. Limits are multiples of the largest size, as DMA masks are. */
  const FIRST = GIB4 / KIB4 - 192;
  const NR_PAGES = 320;
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('alloc' as const), nr: fc.integer({ min: 1, max: 40 }) }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('free' as const), nr: fc.nat() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('limited' as const),
        nr: fc.integer({ min: 1, max: 20 }),
        limit: fc.nat(5).map((n) => n * 64),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('reserve' as const),
        nr: fc.integer({ min: 1, max: 6 }),
        limit: fc.nat(NR_PAGES - 1),
      }),
    },
  );

  const freeRun = (taken: ReadonlySet<number>, size: number, first: number, last: number): boolean => {
    for (let page = Math.ceil(first / size) * size; page + size - 1 <= last; page += size)
      if (Array.from({ length: size }, (_, i) => page + i).every((one) => !taken.has(one))) return true;
    return false;
  };

  it.each([[true], [false]])('agrees with a naive reference (magazines: %p)', (magazines) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const range = { first: iova(FIRST * KIB4), last: iova((FIRST + NR_PAGES) * KIB4 - 1) };
        const iovas = new IovaDomain({ place: '/smmu', granuleBytes: KIB4, range, magazines });
        const taken = new Set<number>();
        const reserved = new Set<number>();
        const live: { at: Iova; size: number }[] = [];
        for (const one of steps) {
          if (one.kind === 'free') {
            const [gone] = live.splice(one.nr % Math.max(1, live.length), 1);
            if (!gone) continue;
            iovas.free(gone.at);
            for (let i = 0; i < gone.size; i++) taken.delete(gone.at / KIB4 + i);
          } else if (one.kind === 'reserve') {
            const pages = Array.from({ length: one.nr }, (_, i) => FIRST + one.limit + i);
            const free = pages.every((page) => reserved.has(page) || !taken.has(page));
            try {
              iovas.reserve(iova((FIRST + one.limit) * KIB4), one.nr * KIB4);
              expect(free).toBe(true);
              for (const page of pages) [taken, reserved].forEach((set) => set.add(page));
            } catch (error) {
              expect([LinuxError.is(error, 'EBUSY'), free]).toEqual([true, false]);
            }
          } else {
            const size = 2 ** Math.ceil(Math.log2(one.nr));
            const last = one.kind === 'limited' ? FIRST + one.limit - 1 : FIRST + NR_PAGES - 1;
            const below = freeRun(taken, size, FIRST, Math.min(last, GIB4 / KIB4 - 1));
            try {
              const at = iovas.alloc(one.nr * KIB4, iova((last + 1) * KIB4 - 1));
              const page = at / KIB4;
              const mine = Array.from({ length: size }, (_, i) => page + i);
              expect(page % size).toBe(0);
              expect(mine.filter((other) => taken.has(other) || other > last || other < FIRST)).toEqual([]);
              if (!magazines) expect(at < GIB4).toBe(below);
              for (const other of mine) taken.add(other);
              live.push({ at, size });
            } catch (error) {
              if (!LinuxError.is(error, 'ENOSPC')) throw error;
              expect(freeRun(taken, size, FIRST, last)).toBe(false);
            }
          }
          expect(iovas.nrAllocated).toBe(live.length);
        }
        for (const { at } of live) iovas.free(at);
        const left = NR_PAGES - [...reserved].filter((page) => page < FIRST + NR_PAGES).length;
        const all = Array.from({ length: left }, () => iovas.alloc(KIB4));
        expect(new Set(all).size).toBe(left);
        expect(() => iovas.alloc(KIB4)).toThrow('ENOSPC');
      }),
      { numRuns: runs(150, 5000), seed },
    );
  });
});
