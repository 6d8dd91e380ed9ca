// SPDX-License-Identifier: Apache-2.0
// Pages given out from the top. They are opened piece by piece downwards, each when those above have no room; the window
// of buddies that they are opened in doubles as needed. What is not opened costs nothing, however large it is.

import { alignDown } from '@irqkit/bits';
import { BuddyWindow, MAX_LOG2_PAGES } from './buddy-window.js';
import { Magazines } from './magazines.js';
import { PageRanges } from './page-ranges.js';
import type { PageRange } from './page-ranges.js';

/** Pages of a piece, where no more are asked for, and of the first window: 16 MiB of 4 KiB pages, 5 KiB of memory. */
const PIECE_LOG2_PAGES = 12;

export interface IovaRegionOptions {
  readonly granuleBytes: number;
  /** What is reserved, here and elsewhere: its owner's. */
  readonly reserved: PageRanges;
  /** Blocks below this order go through the magazines. */
  readonly cachedOrders: number;
}

export class IovaRegion {
  readonly last: number;
  readonly #granuleBytes: number;
  readonly #pagesPerByte: number;
  readonly #cachedOrders: number;
  readonly #magazines = new Magazines();
  readonly #reserved: PageRanges;
  #first: number;
  /** The lowest page that is open; above the last one where none is. */
  #reached: number;
  #window: BuddyWindow;
  /** Of the window's highest page. */
  #highestIova: number;

  /** The pages of a range, but for those that are reserved by the time they are opened. */
  constructor(range: PageRange, { granuleBytes, reserved, cachedOrders }: IovaRegionOptions) {
    this.last = range.last;
    this.#granuleBytes = granuleBytes;
    this.#pagesPerByte = 1 / granuleBytes;
    this.#cachedOrders = cachedOrders;
    this.#reserved = reserved;
    this.#first = range.first;
    this.#reached = range.last + 1;
    this.#window = new BuddyWindow(alignDown(range.last, 2 ** PIECE_LOG2_PAGES), PIECE_LOG2_PAGES);
    this.#highestIova = this.#window.highest * granuleBytes;
  }

  get nrAllocated(): number {
    return this.#window.nrAllocated;
  }

  /** Of the block at a place of the window. */
  iovaAt(place: number): number {
    return this.#highestIova - place * this.#granuleBytes;
  }

  /**
   * @returns the place of 2^order pages, aligned to their number; -1 where there are none, but for what the magazines
   * of other orders hold: see `drain`
   */
  alloc(order: number): number {
    let place = this.allocOpen(order);
    while (place < 0 && this.#open(order)) place = this.#window.alloc(order);
    return place;
  }

  /** As `alloc`, of open pages. */
  allocOpen(order: number): number {
    const place = order < this.#cachedOrders ? this.#magazines.pop(order) : -1;
    if (place < 0) return this.#window.alloc(order);
    this.#window.retake(place, order);
    return place;
  }

  /** As `alloc`, with no page above `limit`, which is below the last page. */
  allocUpTo(order: number, limit: number): number {
    if (limit < this.#reached) return -1;
    const from = this.#window.highest - limit;
    const again = order < this.#cachedOrders ? this.#magazines.top(order) : -1;
    if (again - 2 ** order + 1 >= from) return this.allocOpen(order);
    let place = this.#window.allocFrom(order, from);
    while (place < 0 && this.#open(order)) place = this.#window.allocFrom(order, this.#window.highest - limit);
    return place;
  }

  /** @returns false where no block allocated here begins at `iova` */
  free(iova: number): boolean {
    const place = (this.#highestIova - iova) * this.#pagesPerByte;
    if ((place | 0) !== place) return false;
    const order = this.#window.orderAt(place);
    if (order < 0) return false;
    this.#window.letGo(place);
    if (order >= this.#cachedOrders || !this.#magazines.push(order, place)) this.#window.release(place, order);
    return true;
  }

  /** The order of the block allocated here that begins at `iova`; -1 where there is none. */
  orderAt(iova: number): number {
    const place = (this.#highestIova - iova) * this.#pagesPerByte;
    return (place | 0) === place ? this.#window.orderAt(place) : -1;
  }

  /** Joins what the magazines hold to its neighbours. */
  drain(): void {
    this.#magazines.drain((place, order) => this.#window.release(place, order));
  }

  /** True where none of these pages is allocated. */
  isUnused(pages: PageRange): boolean {
    this.drain();
    return this.#openIn(pages).every(({ first, last }) => this.#window.isFree(first, last));
  }

  /** Never gives these pages out, which are unused and about to be reserved. */
  takeOut(pages: PageRange): void {
    for (const { first, last } of this.#openIn(pages)) this.#window.carve(first, last);
  }

  /**
   * Gives up pages that are not open: those up to `limit`, and those that the window cannot reach.
   * @returns what it gave up; undefined where that is nothing
   */
  giveUp(limit: number): PageRange | undefined {
    const next = Math.min(limit + 1, this.#reached);
    if (next <= this.#first) return undefined;
    const rest = { first: this.#first, last: next - 1 };
    this.#first = next;
    return rest;
  }

  /**
   * Opens the highest aligned piece below what is open.
   * @returns false where all pages are open, or the next ones are out of the largest window's reach
   */
  #open(order: number): boolean {
    if (this.#reached === this.#first) return false;
    const closed = this.#reserved.missingFrom({ first: this.#first, last: this.#reached - 1 }).at(-1);
    if (!closed) {
      this.#reached = this.#first;
      return false;
    }
    const piece = highestPiece(closed, Math.max(order, PIECE_LOG2_PAGES));
    if (!this.#reach(piece)) return false;
    this.#window.release(this.#window.highest - piece.first, piece.order);
    this.#reached = piece.first;
    return true;
  }

  #reach({ first, last }: PageRange): boolean {
    if (this.#reached > this.last)
      this.#window = new BuddyWindow(alignDown(first, 2 ** PIECE_LOG2_PAGES), PIECE_LOG2_PAGES);
    if (first < alignDown(this.#window.base, 2 ** MAX_LOG2_PAGES)) return false;
    if (first < this.#window.base) this.drain();
    while (first < this.#window.base || last > this.#window.highest) this.#window = this.#window.doubled();
    this.#highestIova = this.#window.highest * this.#granuleBytes;
    return true;
  }

  /** What of these pages is open. */
  #openIn({ first, last }: PageRange): PageRange[] {
    return this.#reserved.missingFrom({ first: Math.max(first, this.#reached), last: Math.min(last, this.last) });
  }
}

/** The largest block at the end of a range that is aligned to its own size, of 2^mostOrder pages at the most. */
function highestPiece({ first, last }: PageRange, mostOrder: number): PageRange & { readonly order: number } {
  const fits = (order: number) => (last + 1) % 2 ** order === 0 && last + 1 - 2 ** order >= first;
  let order = 0;
  while (order < mostOrder && fits(order + 1)) order++;
  return { first: last + 1 - 2 ** order, last, order };
}
