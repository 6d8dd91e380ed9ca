// SPDX-License-Identifier: Apache-2.0
// Marsaglia's xorshift32 (Journal of Statistical Software 8(14), 2003, triple 13, 17, 5).

export class Xorshift {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  /** 32 bits. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)];
  }

  /** A value as software writes them: small numbers, single bits and anything at all. */
  value(): number {
    const kind = this.below(4);
    if (kind === 0) return this.below(2048);
    if (kind === 1) return (1 << this.below(32)) >>> 0;
    return this.next();
  }
}
