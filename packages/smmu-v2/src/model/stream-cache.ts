// SPDX-License-Identifier: Apache-2.0
// Where a StreamID leads, remembered until a register changes that: direct-mapped. A slot is three words: StreamID, tag of its
// context bank in the IOTLB, what its accesses need there.

import type { StreamContext } from './stream-context.js';

/** Words of a slot. */
export const SLOT = 3;
const FIRST_SLOTS = 2 ** 6;
const MAX_SLOTS = 2 ** 16;
const EMPTY = -1;

export class StreamCache {
  /** Read by the fast path. */
  slots = new Int32Array(FIRST_SLOTS * SLOT).fill(EMPTY);
  /** Slots less one, to cut a StreamID by. */
  mask = FIRST_SLOTS - 1;
  #contexts: (StreamContext | undefined)[] = [];
  #used = false;

  get(sid: number): StreamContext | undefined {
    const slot = sid & this.mask;
    return sid >= 0 && this.slots[slot * SLOT] === sid ? this.#contexts[slot] : undefined;
  }

  /** `needs`: the bits of an IOTLB entry's flags that a read needs, and above them those that a write needs. */
  add(sid: number, context: StreamContext, needs: number): void {
    if (sid < 0) return;
    while (this.slots[(sid & this.mask) * SLOT] !== EMPTY && this.mask < MAX_SLOTS - 1) this.#grow();
    this.#put(sid, context.tag, needs, context);
    this.#used = true;
  }

  dropAll(): void {
    if (!this.#used) return;
    this.slots.fill(EMPTY);
    this.#contexts = [];
    this.#used = false;
  }

  #put(sid: number, tag: number, needs: number, context: StreamContext | undefined): void {
    const slot = sid & this.mask;
    this.slots[slot * SLOT] = sid;
    this.slots[slot * SLOT + 1] = tag;
    this.slots[slot * SLOT + 2] = needs;
    this.#contexts[slot] = context;
  }

  #grow(): void {
    const { slots } = this;
    const contexts = this.#contexts;
    this.mask = this.mask * 2 + 1;
    this.slots = new Int32Array((this.mask + 1) * SLOT).fill(EMPTY);
    this.#contexts = [];
    for (let slot = 0; slot * SLOT < slots.length; slot++) {
      const [sid, tag, needs] = slots.subarray(slot * SLOT);
      if (sid !== EMPTY) this.#put(sid, tag, needs, contexts[slot]);
    }
  }
}
