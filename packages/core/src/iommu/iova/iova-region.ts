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
  readonly magazines: boolean;
}

export class IovaRegion {
  readonly last: number;
  /** Of the last byte. */
  readonly lastIova: number;
  readonly #reserved: PageRanges;
  #first: number;
  /** The lowest page that is open; above the last one where none is. */
  #reached: number;
  #window: BuddyWindow;
  // What every allocation reads begins as what it stays: a field that once was undefined is checked each time.
  readonly #magazines = new Magazines();
  #granuleBytes = 1;
  #pagesPerByte = 0.5;
  /** Of the window's highest page. */
  #highestIova = 0.5;
  /** The window's. */
  #nrPlaces = 0;
  #allocated: Uint8Array = new Uint8Array(0);

  /** The pages of a range, but for those that are reserved by the time they are opened. */
  constructor(range: PageRange, { granuleBytes, reserved, magazines }: IovaRegionOptions) {
    this.last = range.last;
    this.lastIova = (range.last + 1) * granuleBytes - 1;
    this.#granuleBytes = granuleBytes;
    this.#pagesPerByte = 1 / granuleBytes;
    if (magazines) this.#magazines.open();
    this.#reserved = reserved;
    this.#first = range.first;
    this.#reached = range.last + 1;
    this.#window = new BuddyWindow(alignDown(range.last, 2 ** PIECE_LOG2_PAGES), PIECE_LOG2_PAGES);
    this.#use(this.#window);
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
    if (this.hasAgain(order)) return this.allocAgain(order);
    let place = this.allocOpen(order);
    while (place < 0 && this.#open(order)) place = this.allocOpen(order);
    return place;
  }

  /** As `alloc`, of open pages that no magazine holds. */
  allocOpen(order: number): number {
    return this.#window.alloc(order, 0);
  }

  /** True where the magazines hold a block of the order. */
  hasAgain(order: number): boolean {
    return this.#magazines.has(order);
  }

  /** As `alloc`, of what the magazines hold. */
  allocAgain(order: number): number {
    const place = this.#magazines.pop(order);
    this.#allocated[place] = order + 1;
    return place;
  }

  /** As `alloc`, with no byte above `last`, which is below the last page's. */
  allocUpTo(order: number, last: number): number {
    const limit = Math.floor((last + 1) * this.#pagesPerByte) - 1;
    if (limit < this.#reached) return -1;
    const from = this.#window.highest - limit;
    if (this.hasAgain(order) && this.#magazines.top(order) - 2 ** order + 1 >= from) return this.allocAgain(order);
    let place = this.#window.alloc(order, from);
    while (place < 0 && this.#open(order)) place = this.#window.alloc(order, this.#window.highest - limit);
    return place;
  }

  /** @returns false where no block allocated here begins at `iova` */
  free(iova: number): boolean {
    const pagesBelow = (this.#highestIova - iova) * this.#pagesPerByte;
    const place = pagesBelow | 0;
    if (place !== pagesBelow || place < 0 || place >= this.#nrPlaces) return false;
    const allocated = this.#allocated;
    const order = allocated[place] - 1;
    if (order < 0) return false;
    allocated[place] = 0;
    if (!this.#magazines.push(order, place)) this.#window.release(place, order);
    return true;
  }

  /** The order of the block allocated here that begins at `iova`; -1 where there is none. */
  orderAt(iova: number): number {
    return (this.#allocated[(this.#highestIova - iova) * this.#pagesPerByte] ?? 0) - 1;
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
   * Gives up pages that are not open: those up to `last`, and those that the window cannot reach.
   * @returns what it gave up; undefined where that is nothing
   */
  giveUp(last: number | undefined): PageRange | undefined {
    if (this.#reached === this.#first) return undefined;
    const next =
      last === undefined ? this.#reached : Math.min(Math.floor((last + 1) * this.#pagesPerByte), this.#reached);
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
    this.#use(this.#window);
    return true;
  }

  #use(window: BuddyWindow): void {
    this.#window = window;
    this.#allocated = window.allocated;
    this.#nrPlaces = window.allocated.length;
    this.#highestIova = window.highest * this.#granuleBytes;
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
