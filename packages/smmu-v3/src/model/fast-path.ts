// SPDX-License-Identifier: Apache-2.0
// The way of a transaction whose configuration and translation are remembered. A closure, which V8 runs faster than a method.

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

export function fastPath(streams: StreamCache, iotlb: Iotlb, miss: Translate): Translate {
  return (sid, ssid, hi, lo, write) => {
    const { slots } = streams;
    const slot = (slotOf(sid, ssid) << 2) & (slots.length - 4);
    if (slots[slot] === (sid | 0) && slots[slot + 1] === ssid && hi >>> 20 === 0) {
      const { entries } = iotlb;
      const space = slots[slot + 2];
      const page = (hi << 20) | (lo >>> 12);
      const at = (hashOf(page, space) << 2) & (entries.length - 4);
      if (entries[at] === page && entries[at + 1] === ((space << SPACE_SHIFT) | (hi >>> 12))) {
        const needs = (write ? slots[slot + 3] >>> WRITE_NEEDS_SHIFT : slots[slot + 3]) & NEEDS;
        const flags = entries[at + 3];
        if ((flags & needs) === needs)
          return (flags & 0xff) * 2 ** 44 + (entries[at + 2] >>> 0) * 0x1000 + (lo & 0xfff);
      }
    }
    return miss(sid, ssid, hi, lo, write);
  };
}
