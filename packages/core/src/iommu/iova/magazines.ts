// SPDX-License-Identifier: Apache-2.0
// Blocks let go of lately, to be taken again before any other of their size. @linux struct iova_rcache

/** Blocks of up to 64 pages are kept. Linux's end at 32. @linux IOVA_RANGE_CACHE_MAX_SIZE */
export const NR_CACHED_ORDERS = 7;
/** Blocks of one order. @linux IOVA_MAG_SIZE */
const MAGAZINE_SIZE = 128;

export class Magazines {
  readonly #places = new Int32Array(NR_CACHED_ORDERS * MAGAZINE_SIZE);
  readonly #used = new Int32Array(NR_CACHED_ORDERS);

  /** False where it is full. */
  push(order: number, place: number): boolean {
    const used = this.#used[order];
    if (used === MAGAZINE_SIZE) return false;
    this.#places[order * MAGAZINE_SIZE + used] = place;
    this.#used[order] = used + 1;
    return true;
  }

  /** The last block pushed; -1 where there is none. */
  pop(order: number): number {
    const used = this.#used[order];
    if (used === 0) return -1;
    this.#used[order] = used - 1;
    return this.#places[order * MAGAZINE_SIZE + used - 1];
  }

  /** What `pop` would give. */
  top(order: number): number {
    const used = this.#used[order];
    return used === 0 ? -1 : this.#places[order * MAGAZINE_SIZE + used - 1];
  }

  /** Empties them. */
  drain(release: (place: number, order: number) => void): void {
    for (let order = 0; order < NR_CACHED_ORDERS; order++)
      for (let place = this.pop(order); place >= 0; place = this.pop(order)) release(place, order);
  }
}
