// SPDX-License-Identifier: Apache-2.0
// Configuration that is remembered: what entry and descriptor of a (StreamID, SubstreamID) mean, direct-mapped. Arm IHI 0070,
// sections 4.3 and 16.2. A slot's eight words: StreamID, SubstreamID or -1, space in the IOTLB, what accesses need, the plan of a walk.

import { planQuickWalk } from '@irqkit/pgtable/walk';
import type { StreamContext } from './stream-context.js';

const LOG2_SLOT = 3;
const SLOT = 2 ** LOG2_SLOT;
const PLAN = 4;
const FIRST_SLOTS = 2 ** 6;
const MAX_SLOTS = 2 ** 16;
/** No StreamID with no SubstreamID. */
const EMPTY = -2;

/** Where a slot stands, before it is cut to the size of the array. */
export function slotOf(sid: number, ssid: number): number {
  return sid ^ (Math.imul(ssid + 1, 0x9e37_79b1) >>> 8);
}

export class StreamCache {
  /** Read by the fast path. */
  slots = new Int32Array(FIRST_SLOTS * SLOT).fill(EMPTY);
  #contexts: (StreamContext | undefined)[] = new Array<undefined>(FIRST_SLOTS).fill(undefined);
  #used = 0;
  /** True while a slot may have a SubstreamID. */
  #substreams = false;

  get(sid: number, ssid: number): StreamContext | undefined {
    const at = this.#indexOf(sid, ssid);
    return this.#holds(at, sid, ssid) ? this.#contexts[at >>> LOG2_SLOT] : undefined;
  }

  /** `needs`: the bits of an IOTLB entry's flags that a read needs, and above them those that a write needs. */
  add(sid: number, ssid: number, context: StreamContext, needs: number): void {
    let at = this.#indexOf(sid, ssid);
    while (this.slots[at + 1] !== EMPTY && !this.#holds(at, sid, ssid) && this.slots.length < MAX_SLOTS * SLOT) {
      this.#grow();
      at = this.#indexOf(sid, ssid);
    }
    if (this.slots[at + 1] === EMPTY) this.#used++;
    if (ssid >= 0) this.#substreams = true;
    this.slots[at] = sid;
    this.slots[at + 1] = ssid;
    this.slots[at + 2] = context.space;
    this.slots[at + 3] = needs;
    planQuickWalk(context.alone, this.slots, at + PLAN);
    this.#contexts[at >>> LOG2_SLOT] = context;
  }

  /** Every slot of the StreamIDs from `first` to `last`. */
  drop(first: number, last: number): void {
    if (this.#used === 0) return;
    if (this.#substreams || last - first >= this.slots.length) return this.#scan(first, last);
    for (let sid = first; sid <= last; sid++) this.#dropOne(sid, -1);
  }

  /** What was cached of one context descriptor. */
  dropSubstream(sid: number, ssid: number): void {
    if (this.#used === 0) return;
    this.#dropOne(sid, -1);
    this.#dropOne(sid, ssid);
  }

  dropAll(): void {
    if (this.#used === 0) return;
    this.slots.fill(EMPTY);
    this.#contexts.fill(undefined);
    this.#used = 0;
    this.#substreams = false;
  }

  #scan(first: number, last: number): void {
    for (let at = 0; at < this.slots.length; at += SLOT) {
      const sid = this.slots[at] >>> 0;
      if (this.slots[at + 1] !== EMPTY && sid >= first && sid <= last) this.#clear(at);
    }
  }

  #dropOne(sid: number, ssid: number): void {
    const at = this.#indexOf(sid, ssid);
    if (this.#holds(at, sid, ssid)) this.#clear(at);
  }

  #clear(at: number): void {
    this.slots.fill(EMPTY, at, at + SLOT);
    this.#contexts[at >>> LOG2_SLOT] = undefined;
    this.#used--;
  }

  #holds(at: number, sid: number, ssid: number): boolean {
    return this.slots[at] === (sid | 0) && this.slots[at + 1] === ssid;
  }

  #indexOf(sid: number, ssid: number): number {
    return (slotOf(sid, ssid) << LOG2_SLOT) & (this.slots.length - SLOT);
  }

  #grow(): void {
    const { slots: former } = this;
    const contexts = this.#contexts;
    this.slots = new Int32Array(former.length * 2).fill(EMPTY);
    this.#contexts = new Array<undefined>(contexts.length * 2).fill(undefined);
    for (let at = 0; at < former.length; at += SLOT) {
      if (former[at + 1] === EMPTY) continue;
      const to = this.#indexOf(former[at], former[at + 1]);
      this.slots.set(former.subarray(at, at + SLOT), to);
      this.#contexts[to >>> LOG2_SLOT] = contexts[at >>> LOG2_SLOT];
    }
  }
}
