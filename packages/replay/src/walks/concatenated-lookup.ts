// SPDX-License-Identifier: Apache-2.0
// Stage 2 with concatenated tables at the initial level, looked up in a case's own words: where QEMU takes one table for all.
// Arm DDI 0487, D8.2.2 and D8.3.1; the fields of the STE: Arm IHI 0070, 5.2.

import { layouts } from '@irqkit/smmu-v3';
import { addressOf } from '../adapters/smmu-v3/smmu-unit.js';
import type { Pair, WalkTables } from './walks.js';

const { STE, TG0_LOG2 } = layouts;

const DESCRIPTOR_BYTES = 8;
const LAST_LEVEL = 3;

/** The physical address of an input address that a page maps; -1 where a descriptor is none. */
export function concatenatedLookup({ ste, ram }: WalkTables, input: Pair): number {
  const address = addressOf(input);
  const pageBits = TG0_LOG2[STE.S2TG(ste)];
  const indexBits = pageBits - Math.log2(DESCRIPTOR_BYTES);
  const first = (pageBits === 12 ? 2 : LAST_LEVEL) - STE.S2SL0(ste);
  let table = STE.S2TTB(ste);
  for (let level = first; level <= LAST_LEVEL; level++) {
    const entryBytes = 2 ** (pageBits + (LAST_LEVEL - level) * indexBits);
    const index = Math.floor(address / entryBytes);
    // The initial lookup goes on where one table ends.
    const at = table + (level === first ? index : index % 2 ** indexBits) * DESCRIPTOR_BYTES;
    const [lo, hi] = ram.get(at) ?? [0, 0];
    if (lo % 4 !== 3) return -1;
    const next = (hi % 2 ** 16) * 2 ** 32 + lo;
    table = next - (next % 2 ** pageBits);
  }
  return table + (address % 2 ** pageBits);
}
