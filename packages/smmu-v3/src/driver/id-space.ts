// SPDX-License-Identifier: Apache-2.0
// ASIDs and VMIDs: the lowest free one. 0 stands for what has none.

export class IdSpace {
  readonly #taken: Uint32Array;
  /** No word below has a free id. */
  #from = 0;

  /** Ids from 1 up to 2^bits. */
  constructor(bits: number) {
    this.#taken = new Uint32Array(2 ** bits / 32);
    this.#taken[0] = 1;
  }

  /** 0 where all are taken. */
  alloc(): number {
    for (; this.#from < this.#taken.length; this.#from++) {
      const free = ~this.#taken[this.#from];
      if (free === 0) continue;
      const bit = 31 - Math.clz32(free & -free);
      this.#taken[this.#from] |= 1 << bit;
      return this.#from * 32 + bit;
    }
    return 0;
  }

  /** Gives back what alloc returned. */
  free(id: number): void {
    const word = id >>> 5;
    this.#taken[word] &= ~(1 << (id & 31));
    this.#from = Math.min(this.#from, word);
  }
}
