// SPDX-License-Identifier: Apache-2.0
// The free blocks of one size: a bitmap with three summaries over it, so that the first set bit is found in four steps.

export class FreeBlocks {
  /** How many are in it. */
  count = 0;
  readonly #bits: Int32Array;
  readonly #words: Int32Array;
  readonly #groups: Int32Array;
  readonly #top: Int32Array;

  /** Room for the indices below 2^log2Blocks, 28 at most. */
  constructor(log2Blocks: number) {
    const wordsFor = (log2Bits: number) => new Int32Array(2 ** Math.max(0, log2Bits - 5));
    this.#bits = wordsFor(log2Blocks);
    this.#words = wordsFor(log2Blocks - 5);
    this.#groups = wordsFor(log2Blocks - 10);
    this.#top = wordsFor(log2Blocks - 15);
  }

  has(index: number): boolean {
    return (this.#bits[index >> 5] & (1 << index)) !== 0;
  }

  /** `index` is not in it. */
  add(index: number): void {
    this.count++;
    const word = index >> 5;
    const before = this.#bits[word];
    this.#bits[word] = before | (1 << index);
    if (before !== 0) return;
    this.#words[index >> 10] |= 1 << word;
    this.#groups[index >> 15] |= 1 << (index >> 10);
    this.#top[index >> 20] |= 1 << (index >> 15);
  }

  /** `index` is in it. */
  remove(index: number): void {
    this.count--;
    if ((this.#bits[index >> 5] &= ~(1 << index)) !== 0) return;
    if ((this.#words[index >> 10] &= ~(1 << (index >> 5))) !== 0) return;
    if ((this.#groups[index >> 15] &= ~(1 << (index >> 10))) !== 0) return;
    this.#top[index >> 20] &= ~(1 << (index >> 15));
  }

  /** The lowest index, -1 where there is none. */
  first(): number {
    const top = this.#top;
    for (let i = 0; i < top.length; i++) if (top[i] !== 0) return this.#descend(3, (i << 5) | lowestBit(top[i]));
    return -1;
  }

  /** The lowest index from `from` on, -1 where there is none. */
  firstFrom(from: number): number {
    let index = from;
    for (let level = 0; level < 4; level++) {
      const words = this.#level(level);
      const rest = index >> 5 < words.length ? words[index >> 5] & (-1 << index) : 0;
      if (rest !== 0) return this.#descend(level, (index & ~31) | lowestBit(rest));
      index = (index >> 5) + 1;
    }
    for (let i = index; i < this.#top.length; i++)
      if (this.#top[i] !== 0) return this.#descend(3, (i << 5) | lowestBit(this.#top[i]));
    return -1;
  }

  /** From a bit of `level` to the lowest bit of level 0 that it stands for. */
  #descend(level: number, bit: number): number {
    let index = bit;
    if (level > 2) index = (index << 5) | lowestBit(this.#groups[index]);
    if (level > 1) index = (index << 5) | lowestBit(this.#words[index]);
    return level > 0 ? (index << 5) | lowestBit(this.#bits[index]) : index;
  }

  #level(level: number): Int32Array {
    return [this.#bits, this.#words, this.#groups, this.#top][level];
  }
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
