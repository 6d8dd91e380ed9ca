// SPDX-License-Identifier: Apache-2.0
// Mappings by IOVA beside a sorted array, through more of them than one run holds.

import { runs, seed } from '@irqkit-test/env';
import fc from 'fast-check';
import { DmaList } from '../../src/container/dma-list.js';
import type { IovaSpan } from '../../src/container/dma-list.js';

const overlapping = (all: readonly IovaSpan[], iova: number, sizeBytes: number) =>
  all.filter((span) => span.iova < iova + sizeBytes && iova < span.iova + span.sizeBytes);

test('R21: what is found is what a sorted array has', () => {
  const keys = fc.array(fc.integer({ min: 0, max: 1500 }), { minLength: 400, maxLength: 1200 });
  const queries = fc.array(fc.tuple(fc.integer({ min: 0, max: 4600 }), fc.integer({ min: 1, max: 200 })));
  const property = fc.property(keys, queries, (added, asked) => {
    const list = new DmaList<IovaSpan>();
    const known = new Map<number, IovaSpan>();
    for (const key of added) {
      const span = known.get(key);
      if (span) {
        list.remove(span);
        known.delete(key);
      } else {
        const fresh = { iova: key * 3, sizeBytes: 2 };
        list.add(fresh);
        known.set(key, fresh);
      }
    }
    const all = [...known.values()].sort((a, b) => a.iova - b.iova);
    expect(list.all).toEqual(all);
    expect(list.size).toBe(all.length);
    for (const [iova, sizeBytes] of asked) {
      const wanted = overlapping(all, iova, sizeBytes);
      expect(list.within(iova, sizeBytes)).toEqual(wanted);
      expect(list.find(iova, sizeBytes)).toBe(wanted.at(0));
    }
  });
  fc.assert(property, { seed, numRuns: runs(30, 500) });
});
