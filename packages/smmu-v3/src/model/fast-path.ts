// SPDX-License-Identifier: Apache-2.0
// The way of a transaction whose configuration and translation are remembered. A closure, which V8 runs faster than a method.

import type { QuickWalk } from '@irqkit/pgtable/walk';
import type { Iotlb } from './iotlb.js';
import { hashOf, SPACE_SHIFT } from './iotlb.js';
import type { StreamCache } from './stream-cache.js';
import { slotOf } from './stream-cache.js';

/**
 * Where an access goes: a physical address, or a negative number where it ends here. `ssid` is -1 without a SubstreamID; `hi` and
 * `lo` are the address's bits [63:32] and [31:0] as integers of either sign.
 */
export type Translate = (sid: number, ssid: number, hi: number, lo: number, write: boolean) => number;

/** Bits of an IOTLB entry's flags that a slot's needs are about; those of writes stand above those of reads. */
const NEEDS = 0xffff;
export const WRITE_NEEDS_SHIFT = 16;

/** `walk` puts into the IOTLB what the tables say where that is simple; `miss` takes all that is neither there nor simple. */
export function fastPath(streams: StreamCache, iotlb: Iotlb, walk: QuickWalk, miss: Translate): Translate {
  // Taken out of its module once: V8 looks an import up, and checks it, at each use.
  const spaceShift = SPACE_SHIFT;

  return (sid, ssid, hi, lo, write) => {
    const { slots } = streams;
    const slot = (slotOf(sid, ssid) << 3) & (slots.length - 8);
    if (slots[slot] !== (sid | 0) || slots[slot + 1] !== ssid || hi >>> 20 !== 0) return miss(sid, ssid, hi, lo, write);
    const space = slots[slot + 2];
    const needs = (write ? slots[slot + 3] >>> WRITE_NEEDS_SHIFT : slots[slot + 3]) & NEEDS;
    const page = (hi << 20) | (lo >>> 12);
    const tag = (space << spaceShift) | (hi >>> 12);
    let { entries } = iotlb;
    let at = (hashOf(page, space) << 2) & (entries.length - 4);
    if (entries[at] !== page || entries[at + 1] !== tag || (entries[at + 3] & needs) !== needs) {
      if (walk(slots, slot + 4, hi, lo, needs, entries, at + 2) < 0) return miss(sid, ssid, hi, lo, write);
      at = iotlb.added(at, page, tag);
      ({ entries } = iotlb);
    }
    return (entries[at + 3] & 0xff) * 2 ** 44 + (entries[at + 2] >>> 0) * 0x1000 + (lo & 0xfff);
  };
}
