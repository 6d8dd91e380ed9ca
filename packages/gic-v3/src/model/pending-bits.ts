// SPDX-License-Identifier: Apache-2.0
// The pending bits of the LPIs of all Redistributors in one array, as ITSs may test them.

import type { LpiPendingBits } from '@irqkit/core';

const LOG2_WORD = 5;

export class PendingBits implements LpiPendingBits {
  words = new Uint32Array(0);
  shift = 0;
  readonly #nrRedistributors: number;

  constructor(nrRedistributors: number) {
    this.#nrRedistributors = nrRedistributors;
  }

  /**
   * Makes room for INTIDs below `endIntid`, a power of two, of every Redistributor. True where the bits are in another array
   * then; the former one is all zero, so that whoever still tests it finds nothing pending, and asks.
   */
  reserve(endIntid: number): boolean {
    const shift = Math.log2(endIntid) - LOG2_WORD;
    const former = this.words;
    if (former.length > 0 && shift <= this.shift) return false;
    const words = new Uint32Array(this.#nrRedistributors * 2 ** shift);
    for (let at = 0, length = 2 ** this.shift; at < former.length; at += length)
      words.set(former.subarray(at, at + length), (at / length) * 2 ** shift);
    former.fill(0);
    this.words = words;
    this.shift = shift;
    return true;
  }

  /** One bit for each INTID of a Redistributor below `endIntid`, for which there is room. */
  of(redistributor: number, endIntid: number): Uint32Array {
    const first = redistributor * 2 ** this.shift;
    return this.words.subarray(first, first + endIntid / 32);
  }
}
