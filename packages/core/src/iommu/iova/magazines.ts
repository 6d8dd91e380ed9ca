// SPDX-License-Identifier: Apache-2.0
// Blocks let go of lately, to be taken again before any other of their size. @linux struct iova_rcache

/** Blocks of up to 64 pages are kept. Linux's end at 32. @linux IOVA_RANGE_CACHE_MAX_SIZE */
const NR_CACHED_ORDERS = 7;
/** Blocks of one order. @linux IOVA_MAG_SIZE */
const MAGAZINE_SIZE = 128;
const LOG2_MAGAZINE_SIZE = 7;
/** Of an order whose blocks are not kept. */
const NONE_EVER = -1;
/** Where the counts begin: by order, 32 for no block at all among them. */
const COUNTS = NR_CACHED_ORDERS * MAGAZINE_SIZE;

export class Magazines {
  /** By order the places of its blocks, and then the counts. One array, because each that is read has its price. */
  readonly #words = new Int32Array(COUNTS + 33).fill(NONE_EVER, COUNTS);

  /** Until then nothing is kept. */
  open(): void {
    this.#words.fill(0, COUNTS, COUNTS + NR_CACHED_ORDERS);
  }

  /** False where blocks of the order are not kept, or there is no room. */
  push(order: number, place: number): boolean {
    const words = this.#words;
    const used = words[COUNTS + order];
    if (used >>> 0 >= MAGAZINE_SIZE) return false;
    words[(order << LOG2_MAGAZINE_SIZE) | used] = place;
    words[COUNTS + order] = used + 1;
    return true;
  }

  has(order: number): boolean {
    return this.#words[COUNTS + order] > 0;
  }

  /** The last block pushed: there is one. */
  pop(order: number): number {
    const words = this.#words;
    const last = words[COUNTS + order] - 1;
    words[COUNTS + order] = last;
    return words[(order << LOG2_MAGAZINE_SIZE) | last];
  }

  /** What `pop` would give. */
  top(order: number): number {
    return this.#words[(order << LOG2_MAGAZINE_SIZE) | (this.#words[COUNTS + order] - 1)];
  }

  /** Empties them. */
  drain(release: (place: number, order: number) => void): void {
    for (let order = 0; order < NR_CACHED_ORDERS; order++) while (this.has(order)) release(this.pop(order), order);
  }
}
