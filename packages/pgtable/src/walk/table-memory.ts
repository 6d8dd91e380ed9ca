// SPDX-License-Identifier: Apache-2.0
// Where tables stand: memory that is read word by word, as far as its owner shows it so, or else descriptor by descriptor.

import type { PhysAddr, RamWindow } from '@irqkit/core';
import { HIGH_WORD_OF, OF_HIGH_WORD } from '../descriptors.js';

/** Reads one aligned doubleword, low word first; false where that is an external abort. `Dma.load64` is one. */
export type FetchDescriptor = (pa: number, into: Uint32Array) => boolean;

/** The window that shows an address, undefined where there is none. `Dma.window` is one. */
export type FindWindow = (pa: number) => RamWindow | undefined;

const NONE: RamWindow = { base: 0 as PhysAddr, words: new Uint32Array(0) };

export class TableMemory {
  /** The window looked into last, and bits [63:32] and [31:0] of its base. Its `words` may be empty. */
  window: RamWindow = NONE;
  baseHi = 0;
  baseLo = 0;
  nrWords = 0;
  /** What `load` read. */
  readonly descriptor = new Uint32Array(2);
  readonly #fetch: FetchDescriptor;
  readonly #find: FindWindow | undefined;

  constructor(fetch: FetchDescriptor, find: FindWindow | undefined) {
    this.#fetch = fetch;
    this.#find = find;
  }

  /** The index in `window`, which may be another afterwards, of the word at an address; -1 where no window shows it. */
  wordAt(hi: number, lo: number): number {
    const at = (lo - this.baseLo) >>> 2;
    return hi === this.baseHi && at < this.nrWords ? at : this.#seek(hi, lo);
  }

  /** Reads what `window` does not show, which may be another afterwards. False where there is no memory. */
  load(hi: number, lo: number): boolean {
    const pa = hi * OF_HIGH_WORD + (lo >>> 0);
    this.#seek(hi, lo);
    return this.#fetch(pa, this.descriptor);
  }

  #seek(hi: number, lo: number): number {
    const window = this.#find?.(hi * OF_HIGH_WORD + (lo >>> 0));
    if (window === undefined) return -1;
    this.window = window;
    this.baseHi = (window.base * HIGH_WORD_OF) | 0;
    this.baseLo = window.base | 0;
    this.nrWords = window.words.length;
    return (lo - this.baseLo) >>> 2;
  }
}
