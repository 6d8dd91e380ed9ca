// SPDX-License-Identifier: Apache-2.0
// A set of small integers that finds its smallest in a few steps: a bitmap, a bitmap of its words that are not 0, and so on up
// to a single word. Nothing is allocated after construction.

export class BitTree {
  readonly #words: Uint32Array;
  /** Where each level begins, the leaves first. */
  readonly #levels: readonly number[];
  readonly #top: number;

  /** Holds integers below `size`. */
  constructor(size: number) {
    const levels: number[] = [];
    let total = 0;
    let count = size;
    do {
      count = Math.max(Math.ceil(count / 32), 1);
      levels.push(total);
      total += count;
    } while (count > 1);
    this.#words = new Uint32Array(total);
    this.#levels = levels;
    this.#top = total - 1;
  }

  get empty(): boolean {
    return this.#words[this.#top] === 0;
  }

  has(value: number): boolean {
    return ((this.#words[value >>> 5] >>> (value & 31)) & 1) !== 0;
  }

  add(value: number): void {
    let index = value;
    for (let level = 0; level < this.#levels.length; level++) {
      const at = this.#levels[level] + (index >>> 5);
      const before = this.#words[at];
      this.#words[at] = before | (1 << (index & 31));
      if (before !== 0) return;
      index >>>= 5;
    }
  }

  delete(value: number): void {
    let index = value;
    for (let level = 0; level < this.#levels.length; level++) {
      const at = this.#levels[level] + (index >>> 5);
      const after = this.#words[at] & ~(1 << (index & 31));
      this.#words[at] = after;
      if (after !== 0) return;
      index >>>= 5;
    }
  }

  /** The smallest; -1 where there is none. */
  first(): number {
    if (this.empty) return -1;
    let index = 0;
    for (let level = this.#levels.length - 1; level >= 0; level--) {
      const word = this.#words[this.#levels[level] + index];
      index = (index << 5) + 31 - Math.clz32(word & -word);
    }
    return index;
  }

  clear(): void {
    this.#words.fill(0);
  }
}
