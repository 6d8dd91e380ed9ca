// SPDX-License-Identifier: Apache-2.0
// The way of a transaction whose stream and translation are remembered. A closure, which V8 runs faster than a method.

import { hashOf } from './iotlb.js';
import type { Iotlb } from './iotlb.js';
import { SLOT } from './stream-cache.js';
import type { StreamCache } from './stream-cache.js';

/**
 * Where an access goes: a physical address, or a negative number where it ends here. `hi` and `lo` are the address's bits [63:32] and
 * [31:0] as integers of either sign.
 */
export type Translate = (sid: number, hi: number, lo: number, write: boolean) => number;

/** Bits of an IOTLB entry's flags that a slot's needs are about; those of writes stand above those of reads. */
const NEEDS = 0xffff;
export const WRITE_NEEDS_SHIFT = 16;

export function fastPath(streams: StreamCache, iotlb: Iotlb, miss: Translate): Translate {
  return (sid, hi, lo, write) => {
    const { slots, mask } = streams;
    const slot = (sid & mask) * SLOT;
    if (slots[slot] === sid && hi >>> 16 === 0) {
      const { entries } = iotlb;
      const tag = slots[slot + 1];
      const page = (hi << 20) | (lo >>> 12);
      const at = (hashOf(page, tag) << 2) & (entries.length - 4);
      if (entries[at] === page && entries[at + 1] === (tag | (hi >>> 12))) {
        const needs = (write ? slots[slot + 2] >>> WRITE_NEEDS_SHIFT : slots[slot + 2]) & NEEDS;
        const flags = entries[at + 3];
        if ((flags & needs) === needs) return (flags & 0xf) * 2 ** 44 + (entries[at + 2] >>> 0) * 0x1000 + (lo & 0xfff);
      }
    }
    return miss(sid, hi, lo, write);
  };
}
