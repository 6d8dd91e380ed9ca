// SPDX-License-Identifier: Apache-2.0
// The free blocks of a window: for each order a bitmap with three summaries over it, so that the first set bit is found in four
// steps. A word's first bit is its highest, as clz32 counts. All are in one array: what an allocation waits for are loads
// that depend on one another.

const NR_LEVELS = 4;
const LOG2_WORD = 5;
export const FIRST_BIT = 1 << 31;

export class FreeBlocks {
  /** Bit n: there is a free block of order n. */
  orders = 0;
  /** For BuddyWindow, which reads and writes them in place. */
  readonly words: Int32Array;
  /** Where level 0 to 3 of each order begins; each order's end where those of the next begin. */
  readonly starts: Int32Array;

  /** Room for blocks of order 0 to `log2Pages`, 28 at most, in 2^log2Pages pages. */
  constructor(log2Pages: number) {
    this.starts = new Int32Array((log2Pages + 1) * NR_LEVELS + 1);
    let nrWords = 0;
    for (let i = 1; i < this.starts.length; i++) {
      const [order, level] = [(i - 1) >> 2, (i - 1) & 3];
      nrWords += 2 ** Math.max(0, log2Pages - order - (level + 1) * LOG2_WORD);
      this.starts[i] = nrWords;
    }
    this.words = new Int32Array(nrWords);
  }

  has(order: number, index: number): boolean {
    return (this.words[this.starts[order << 2] + (index >> 5)] & (FIRST_BIT >>> index)) !== 0;
  }

  /** `index` is not in it. */
  add(order: number, index: number): void {
    const word = this.starts[order << 2] + (index >> 5);
    const before = this.words[word];
    this.words[word] = before | (FIRST_BIT >>> index);
    if (before === 0) this.#summarize(order, index);
  }

  /** @returns false where `index` is not in it */
  remove(order: number, index: number): boolean {
    const word = this.starts[order << 2] + (index >> 5);
    const before = this.words[word];
    const bit = FIRST_BIT >>> index;
    if ((before & bit) === 0) return false;
    const after = before & ~bit;
    this.words[word] = after;
    if (after === 0) this.#unsummarize(order, index);
    return true;
  }

  /** The lowest index, -1 where there is none. */
  first(order: number): number {
    const words = this.words;
    const top = this.starts[(order << 2) | 3];
    const end = this.starts[(order + 1) << 2];
    for (let at = top; at < end; at++)
      if (words[at] !== 0) return this.#descend(order, 3, ((at - top) << 5) | Math.clz32(words[at]));
    return -1;
  }

  /** The lowest index from `from` on, -1 where there is none. */
  firstFrom(order: number, from: number): number {
    let index = from;
    for (let level = 0; level < NR_LEVELS; level++) {
      const word = this.starts[(order << 2) | level] + (index >> 5);
      const rest = word < this.starts[((order << 2) | level) + 1] ? this.words[word] & (-1 >>> index) : 0;
      if (rest !== 0) return this.#descend(order, level, (index & ~31) | Math.clz32(rest));
      index = (index >> 5) + 1;
    }
    const top = this.starts[(order << 2) | 3];
    const end = this.starts[(order + 1) << 2];
    for (let at = top + index; at < end; at++)
      if (this.words[at] !== 0) return this.#descend(order, 3, ((at - top) << 5) | Math.clz32(this.words[at]));
    return -1;
  }

  /** From a bit of `level` to the first bit of level 0 that it stands for. */
  #descend(order: number, level: number, bit: number): number {
    const words = this.words;
    const starts = this.starts;
    const first = order << 2;
    let index = bit;
    if (level > 2) index = (index << 5) | Math.clz32(words[starts[first | 2] + index]);
    if (level > 1) index = (index << 5) | Math.clz32(words[starts[first | 1] + index]);
    return level > 0 ? (index << 5) | Math.clz32(words[starts[first] + index]) : index;
  }

  /** The word of `index` is empty no more. */
  #summarize(order: number, index: number): void {
    const words = this.words;
    const starts = this.starts;
    const first = order << 2;
    words[starts[first | 1] + (index >> 10)] |= FIRST_BIT >>> (index >> 5);
    words[starts[first | 2] + (index >> 15)] |= FIRST_BIT >>> (index >> 10);
    words[starts[first | 3] + (index >> 20)] |= FIRST_BIT >>> (index >> 15);
    this.orders |= 1 << order;
  }

  /** A word of the topmost summary has become empty. */
  forget(order: number): void {
    if (this.first(order) < 0) this.orders &= ~(1 << order);
  }

  #unsummarize(order: number, index: number): void {
    const words = this.words;
    const starts = this.starts;
    const first = order << 2;
    if ((words[starts[first | 1] + (index >> 10)] &= ~(FIRST_BIT >>> (index >> 5))) !== 0) return;
    if ((words[starts[first | 2] + (index >> 15)] &= ~(FIRST_BIT >>> (index >> 10))) !== 0) return;
    if ((words[starts[first | 3] + (index >> 20)] &= ~(FIRST_BIT >>> (index >> 15))) !== 0) return;
    this.forget(order);
  }
}
