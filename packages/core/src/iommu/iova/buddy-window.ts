// SPDX-License-Identifier: Apache-2.0
// A naturally aligned block of 2^log2Pages pages cut into buddies. A page's place is how far it is below the highest one, so
// that the lowest index of a bitmap is the highest address; a block goes by the place of its lowest page.

import { alignDown } from '@irqkit/bits';
import { FreeBlocks } from './free-blocks.js';

/** With 4 KiB pages 256 GiB, in 80 MiB of memory if all of it is used. */
export const MAX_LOG2_PAGES = 26;

export class BuddyWindow {
  /** Its lowest page. */
  readonly base: number;
  readonly log2Pages: number;
  readonly #highest: number;
  /** By order: the free blocks of 2^order pages. */
  readonly #free: FreeBlocks[];
  /** By the place of a block's lowest page: its order + 1 where it is allocated, else 0. */
  readonly #allocated: Uint8Array;
  /** Bit n: there is a free block of order n. */
  #orders = 0;

  /** Without a free page yet. */
  constructor(base: number, log2Pages: number) {
    this.base = base;
    this.log2Pages = log2Pages;
    this.#highest = base + 2 ** log2Pages - 1;
    this.#free = Array.from({ length: log2Pages + 1 }, (_, order) => new FreeBlocks(log2Pages - order));
    this.#allocated = new Uint8Array(2 ** log2Pages);
  }

  get highest(): number {
    return this.#highest;
  }

  get nrAllocated(): number {
    return this.#allocated.reduce((count, order) => count + (order > 0 ? 1 : 0), 0);
  }

  /** The block of twice the size that contains this one, with the same pages free and allocated. */
  doubled(): BuddyWindow {
    const log2Pages = this.log2Pages + 1;
    const twice = new BuddyWindow(alignDown(this.base, 2 ** log2Pages), log2Pages);
    const shift = twice.highest - this.highest;
    twice.#allocated.set(this.#allocated, shift);
    this.#free.forEach((blocks, order) => {
      for (let i = blocks.first(); i >= 0; i = blocks.firstFrom(i + 1)) twice.#insert(order, i + shift / 2 ** order);
    });
    return twice;
  }

  /** @returns the highest of the smallest free blocks of at least 2^order pages, cut to size; -1 where there is none */
  alloc(order: number): number {
    const fitting = order > this.log2Pages ? 0 : this.#orders & (-1 << order);
    if (fitting === 0) return -1;
    let at = 31 - Math.clz32(fitting & -fitting);
    let index = this.#free[at].first();
    this.#remove(at, index);
    while (at > order) {
      index <<= 1;
      this.#insert(--at, index | 1);
    }
    return this.#take(index, order);
  }

  /** As `alloc`, with no page at a place before `from`. */
  allocFrom(order: number, from: number): number {
    const aligned = (from + (1 << order) - 1) & (-1 << order);
    for (let at = order; at <= this.log2Pages; at++) {
      const index = this.#free[at].firstFrom(aligned >> at);
      if (index < 0) continue;
      const start = Math.max(aligned, index << at);
      this.#remove(at, index);
      while (at > order) {
        at--;
        this.#insert(at, (start >> at) ^ 1);
      }
      return this.#take(start >> order, order);
    }
    return -1;
  }

  /** The order of an allocated block; -1 where there is none. */
  orderAt(place: number): number {
    return place >= 0 && place < this.#allocated.length ? this.#allocated[place] - 1 : -1;
  }

  /** Says that a block that was let go is allocated again. */
  retake(place: number, order: number): void {
    this.#allocated[place] = order + 1;
  }

  /** A block is allocated no more, but not free either. */
  letGo(place: number): void {
    this.#allocated[place] = 0;
  }

  /** Makes a block that is not allocated free. */
  release(place: number, order: number): void {
    let index = place >> order;
    let at = order;
    while (at < this.log2Pages && this.#free[at].has(index ^ 1)) {
      this.#remove(at, index ^ 1);
      index >>= 1;
      at++;
    }
    this.#insert(at, index);
  }

  /** Makes the pages from `first` to `last` free, which are neither. */
  releaseRange(first: number, last: number): void {
    let page = first;
    while (page <= last) {
      let order = 0;
      while (order < this.log2Pages && page % 2 ** (order + 1) === 0 && page + 2 ** (order + 1) - 1 <= last) order++;
      this.release(this.#highest - page, order);
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
      this.#remove(order, (this.#highest - page) >> order);
      if (highest > page) this.releaseRange(page + 1, highest);
      if (lowest < first) this.releaseRange(lowest, first - 1);
      page = lowest - 1;
    }
  }

  #freeOrderOf(page: number): number {
    return this.#free.findIndex((blocks, order) => blocks.has((this.#highest - page) >> order));
  }

  #take(index: number, order: number): number {
    const place = ((index + 1) << order) - 1;
    this.#allocated[place] = order + 1;
    return place;
  }

  #insert(order: number, index: number): void {
    this.#free[order].add(index);
    this.#orders |= 1 << order;
  }

  #remove(order: number, index: number): void {
    const blocks = this.#free[order];
    blocks.remove(index);
    if (blocks.count === 0) this.#orders &= ~(1 << order);
  }
}
