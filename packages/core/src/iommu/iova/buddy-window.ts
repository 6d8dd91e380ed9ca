// SPDX-License-Identifier: Apache-2.0
// A naturally aligned block of 2^log2Pages pages cut into buddies. A page's place is how far it is below the highest one, so
// that the lowest index of a bitmap is the highest address; a block goes by the place of its lowest page.
// `alloc` and `release` are in one piece on purpose: larger than what V8 inlines, they leave its budget to IovaDomain's own
// methods, which have to be inlined, since a call cannot return a double without allocating it.

import { alignDown } from '@irqkit/bits';
import { FIRST_BIT, FreeBlocks } from './free-blocks.js';

/** With 4 KiB pages 256 GiB, in 80 MiB of memory if all of it is used. */
export const MAX_LOG2_PAGES = 26;

export class BuddyWindow {
  /** Its lowest page. */
  readonly base: number;
  readonly log2Pages: number;
  readonly #free: FreeBlocks;
  /** By the place of a block's lowest page: its order + 1 where it is allocated, else 0. Who keeps a block for later sets it. */
  readonly allocated: Uint8Array;

  /** Without a free page yet. */
  constructor(base: number, log2Pages: number) {
    this.base = base;
    this.log2Pages = log2Pages;
    this.#free = new FreeBlocks(log2Pages);
    this.allocated = new Uint8Array(2 ** log2Pages);
  }

  get highest(): number {
    return this.base + 2 ** this.log2Pages - 1;
  }

  get nrAllocated(): number {
    return this.allocated.reduce((count, order) => count + (order > 0 ? 1 : 0), 0);
  }

  /** The block of twice the size that contains this one, with the same pages free and allocated. */
  doubled(): BuddyWindow {
    const log2Pages = this.log2Pages + 1;
    const twice = new BuddyWindow(alignDown(this.base, 2 ** log2Pages), log2Pages);
    const shift = twice.highest - this.highest;
    twice.allocated.set(this.allocated, shift);
    for (let order = 0; order <= this.log2Pages; order++) {
      const shifted = shift / 2 ** order;
      for (let i = this.#free.first(order); i >= 0; i = this.#free.firstFrom(order, i + 1))
        twice.#free.add(order, i + shifted);
    }
    return twice;
  }

  /**
   * @returns the first of the smallest free blocks of at least 2^order pages, cut to size, with no page at a place before `from`;
   * -1 where there is none
   */
  alloc(order: number, from: number): number {
    const free = this.#free;
    const { words, starts } = free;
    const earliest = (from + (1 << order) - 1) & (-1 << order);
    let fitting = free.orders & (-1 << order);
    while (fitting !== 0) {
      let at = 31 - Math.clz32(fitting & -fitting);
      const level = at << 2;
      let index = 0;
      if (from === 0) {
        let top = starts[level | 3];
        while (words[top] === 0) top++;
        index = ((top - starts[level | 3]) << 5) | Math.clz32(words[top]);
        index = (index << 5) | Math.clz32(words[starts[level | 2] + index]);
        index = (index << 5) | Math.clz32(words[starts[level | 1] + index]);
        index = (index << 5) | Math.clz32(words[starts[level] + index]);
      } else {
        index = free.firstFrom(at, earliest >> at);
        if (index < 0) {
          fitting &= fitting - 1;
          continue;
        }
      }
      const start = from === 0 ? index << at : Math.max(earliest, index << at);
      if (
        (words[starts[level] + (index >> 5)] &= ~(FIRST_BIT >>> index)) === 0 &&
        (words[starts[level | 1] + (index >> 10)] &= ~(FIRST_BIT >>> (index >> 5))) === 0 &&
        (words[starts[level | 2] + (index >> 15)] &= ~(FIRST_BIT >>> (index >> 10))) === 0 &&
        (words[starts[level | 3] + (index >> 20)] &= ~(FIRST_BIT >>> (index >> 15))) === 0
      )
        free.forget(at);
      while (at > order) {
        at--;
        const other = (start >> at) ^ 1;
        const word = starts[at << 2] + (other >> 5);
        const before = words[word];
        words[word] = before | (FIRST_BIT >>> other);
        if (before !== 0) continue;
        words[starts[(at << 2) | 1] + (other >> 10)] |= FIRST_BIT >>> (other >> 5);
        words[starts[(at << 2) | 2] + (other >> 15)] |= FIRST_BIT >>> (other >> 10);
        words[starts[(at << 2) | 3] + (other >> 20)] |= FIRST_BIT >>> (other >> 15);
        free.orders |= 1 << at;
      }
      const place = start + (1 << order) - 1;
      this.allocated[place] = order + 1;
      return place;
    }
    return -1;
  }

  /** Makes a block that is not allocated free. */
  release(place: number, order: number): void {
    const free = this.#free;
    const { words, starts } = free;
    let at = order;
    let index = place >> order;
    while (at < this.log2Pages) {
      const buddy = index ^ 1;
      const word = starts[at << 2] + (buddy >> 5);
      const before = words[word];
      const bit = FIRST_BIT >>> buddy;
      if ((before & bit) === 0) break;
      words[word] = before & ~bit;
      if (
        words[word] === 0 &&
        (words[starts[(at << 2) | 1] + (buddy >> 10)] &= ~(FIRST_BIT >>> (buddy >> 5))) === 0 &&
        (words[starts[(at << 2) | 2] + (buddy >> 15)] &= ~(FIRST_BIT >>> (buddy >> 10))) === 0 &&
        (words[starts[(at << 2) | 3] + (buddy >> 20)] &= ~(FIRST_BIT >>> (buddy >> 15))) === 0
      )
        free.forget(at);
      index >>= 1;
      at++;
    }
    const word = starts[at << 2] + (index >> 5);
    const before = words[word];
    words[word] = before | (FIRST_BIT >>> index);
    if (before !== 0) return;
    words[starts[(at << 2) | 1] + (index >> 10)] |= FIRST_BIT >>> (index >> 5);
    words[starts[(at << 2) | 2] + (index >> 15)] |= FIRST_BIT >>> (index >> 10);
    words[starts[(at << 2) | 3] + (index >> 20)] |= FIRST_BIT >>> (index >> 15);
    free.orders |= 1 << at;
  }

  /** Makes the pages from `first` to `last` free, which are neither. */
  releaseRange(first: number, last: number): void {
    let page = first;
    while (page <= last) {
      let order = 0;
      while (order < this.log2Pages && page % 2 ** (order + 1) === 0 && page + 2 ** (order + 1) - 1 <= last) order++;
      this.release(this.highest - page, order);
      page += 2 ** order;
    }
  }

  /** True where every page from `first` to `last` is free. */
  isFree(first: number, last: number): boolean {
    let page = last;
    while (page >= first) {
      const order = this.#freeOrderOf(page);
      if (order < 0) return false;
      page = alignDown(page, 2 ** order) - 1;
    }
    return true;
  }

  /** Takes free pages out for good. */
  carve(first: number, last: number): void {
    let page = last;
    while (page >= first) {
      const order = this.#freeOrderOf(page);
      const lowest = alignDown(page, 2 ** order);
      const highest = lowest + 2 ** order - 1;
      this.#free.remove(order, (this.highest - page) >> order);
      if (highest > page) this.releaseRange(page + 1, highest);
      if (lowest < first) this.releaseRange(lowest, first - 1);
      page = lowest - 1;
    }
  }

  #freeOrderOf(page: number): number {
    const place = this.highest - page;
    let order = this.log2Pages;
    while (order >= 0 && !this.#free.has(order, place >> order)) order--;
    return order;
  }
}
