// SPDX-License-Identifier: Apache-2.0
// The quick walk beside the walk of every regime, over tables of random descriptors.

import { physAddr } from '@irqkit/core';
import type { RamWindow } from '@irqkit/core';
import {
  createQuickWalk,
  createRegime,
  createWalker,
  planQuickWalk,
  QUICK_WORDS,
  TRANSLATION,
  walkResult,
} from '@irqkit/pgtable/walk';
import type { RegimeOptions } from '@irqkit/pgtable/walk';
import { runs, seed } from '@irqkit-test/env';
import fc from 'fast-check';

const BASE = 0x1_4000_0000;
const NR_TABLES = 6;
const FIRST_WORDS = new Uint32Array(NR_TABLES * 1024);

/** Each table is a window of its own. */
function memoryOf(words: Uint32Array) {
  const windows: RamWindow[] = Array.from({ length: NR_TABLES }, (_, i) => ({
    base: physAddr(BASE + i * 0x1000),
    words: words.subarray(i * 1024, (i + 1) * 1024),
  }));
  const find = (pa: number) => windows.find(({ base }) => pa >= base && pa < base + 0x1000);
  const fetch = (pa: number, into: Uint32Array) => {
    const window = find(pa);
    if (window !== undefined) into.set(window.words.subarray((pa - window.base) / 4, (pa - window.base) / 4 + 2));
    return window !== undefined;
  };
  return { find, fetch };
}

/** A descriptor: mostly a table or page there is, now and then anything. */
const descriptor = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.nat(NR_TABLES), fc.nat(0xfff), fc.nat(31)) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(0xf_ffff), fc.nat(0xfff), fc.nat(0x1f)) },
);

const options = fc.record({
  inputBits: fc.integer({ min: 31, max: 48 }),
  outputBits: fc.constantFrom(32, 36, 40, 48),
  accessFlagFaults: fc.boolean(),
  hierarchyDisabled: fc.boolean(),
  wxn: fc.boolean(),
  pan: fc.boolean(),
  onePrivilege: fc.boolean(),
});

test('it finds what the other walk finds, and gives up where that one faults or permission is missing', () => {
  const found = { leaves: 0, faults: 0 };
  fc.assert(
    fc.property(
      options,
      fc.array(descriptor, { minLength: 8, maxLength: 8 }),
      fc.array(fc.tuple(fc.nat(0xffff), fc.nat(0xffff_ffff)), { minLength: 4, maxLength: 4 }),
      fc.constantFrom(0b00, 0b01, 0b11, 0b100),
      (some, descriptors, addresses, access) => {
        const words = FIRST_WORDS.slice();
        for (let at = 0; at < words.length; at += 2) {
          const [page, lowBits, highBits] = descriptors[(at >>> 1) % descriptors.length];
          const pa = BASE + page * 0x1000;
          words[at] = pa | lowBits | (lowBits % 5 === 0 ? 0 : 0x403);
          words[at + 1] = Math.floor(pa / 2 ** 32) | (highBits << 27) | ((highBits % 4) << 21);
        }
        const { find, fetch } = memoryOf(words);
        const regime = createRegime({ stage: 1, granuleBytes: 0x1000, ttb: BASE, ...some } satisfies RegimeOptions);
        const plans = new Int32Array(QUICK_WORDS);
        planQuickWalk(regime, plans, 0);
        const quick = createQuickWalk(find);
        const walk = createWalker(fetch);
        const result = walkResult();
        const into = new Int32Array(2);
        const needs = (access & 4 ? 4 : access & 1 ? 2 : 1) << (access & 2 ? 3 : 0);
        for (const [hi, lo] of addresses) {
          const inside = hi & (2 ** Math.max(some.inputBits - 32, 0) - 1);
          const why = regime === undefined ? -1 : walk(regime, inside, lo | 0, access, result);
          const gave = quick(plans, 0, inside, lo | 0, needs << TRANSLATION.perms.lo, into, 0);
          if (why !== 0 || some.inputBits < 32) {
            expect(gave).toBe(-1);
            found.faults++;
            continue;
          }
          found.leaves++;
          expect(gave).toBe(0);
          expect(TRANSLATION.PA_51_44(into[1]) * 2 ** 44 + (into[0] >>> 0) * 0x1000).toBe(result.pa - (lo % 0x1000));
          expect(TRANSLATION.perms(into[1])).toBe(result.perms);
          expect(TRANSLATION.leafBits(into[1])).toBe(result.leafBits);
          expect(TRANSLATION.global(into[1])).toBe(Number(!result.notGlobal));
        }
      },
    ),
    { seed, numRuns: runs(300, 5000) },
  );
  expect(Math.min(found.leaves, found.faults)).toBeGreaterThan(50);
});
