// SPDX-License-Identifier: Apache-2.0
// IOVA allocation as ../shared/prototypes does it (iova2.mjs: `Buddy` and `BuddyMag`): the same loads, tests and stores in the
// same order with names for a reader. One window of a fixed size, no limits, nothing reserved, nothing checked.

const log2Ceil = (size) => 32 - Math.clz32(size - 1);
const highestBit = (word) => 31 - Math.clz32(word);
const MAGAZINE_LOG2 = 7;
const MAGAZINE_SIZE = 2 ** MAGAZINE_LOG2;

/** 2^log2Pages pages, page 0 among them, in blocks of up to 2^maxOrder. */
export class Buddy {
  constructor(log2Pages, maxOrder = 10) {
    this.maxOrder = maxOrder;
    this.levels = [];
    for (let order = 0; order <= maxOrder; order++) {
      const nrBlocks = 2 ** (log2Pages - order);
      this.levels.push([5, 10, 15, 20].map((shift) => new Int32Array(Math.max(1, nrBlocks >> shift))));
    }
    this.orders = new Uint8Array(2 ** log2Pages);
    for (let i = 1; i < 2 ** (log2Pages - maxOrder); i++) this.set(maxOrder, i);
  }

  set(order, i) {
    const bits = this.levels[order];
    bits[0][i >> 5] |= 1 << i;
    bits[1][i >> 10] |= 1 << (i >> 5);
    bits[2][i >> 15] |= 1 << (i >> 10);
    bits[3][i >> 20] |= 1 << (i >> 15);
  }

  clear(order, i) {
    const bits = this.levels[order];
    if (
      (bits[0][i >> 5] &= ~(1 << i)) === 0 &&
      (bits[1][i >> 10] &= ~(1 << (i >> 5))) === 0 &&
      (bits[2][i >> 15] &= ~(1 << (i >> 10))) === 0
    )
      bits[3][i >> 20] &= ~(1 << (i >> 15));
  }

  highest(order) {
    const bits = this.levels[order];
    const top = bits[3];
    for (let word = top.length - 1; word >= 0; word--)
      if (top[word]) {
        let i = (word << 5) + highestBit(top[word]);
        i = (i << 5) + highestBit(bits[2][i]);
        i = (i << 5) + highestBit(bits[1][i]);
        return (i << 5) + highestBit(bits[0][i]);
      }
    return -1;
  }

  alloc(nrPages) {
    const wanted = log2Ceil(nrPages);
    for (let order = wanted; order <= this.maxOrder; order++) {
      let i = this.highest(order);
      if (i < 0) continue;
      this.clear(order, i);
      while (order > wanted) {
        order--;
        i = (i << 1) | 1;
        this.set(order, i ^ 1);
      }
      const page = i << wanted;
      this.orders[page] = wanted;
      return page;
    }
    return -1;
  }

  free(page) {
    let order = this.orders[page];
    let i = page >> order;
    while (order < this.maxOrder && this.levels[order][0][(i ^ 1) >> 5] & (1 << (i ^ 1))) {
      this.clear(order, i ^ 1);
      i >>= 1;
      order++;
    }
    this.set(order, i);
  }
}

/** The same behind a stack of blocks for each order. */
export class BuddyWithMagazines extends Buddy {
  constructor(log2Pages) {
    super(log2Pages);
    this.pages = new Int32Array(16 * MAGAZINE_SIZE);
    this.used = new Int32Array(16);
  }

  alloc(nrPages) {
    const order = log2Ceil(nrPages);
    const used = this.used[order];
    if (used > 0) {
      this.used[order] = used - 1;
      return this.pages[(order << MAGAZINE_LOG2) + used - 1];
    }
    return super.alloc(nrPages);
  }

  free(page) {
    const order = this.orders[page];
    const used = this.used[order];
    if (used < MAGAZINE_SIZE) {
      this.pages[(order << MAGAZINE_LOG2) + used] = page;
      this.used[order] = used + 1;
      return;
    }
    super.free(page);
  }
}
