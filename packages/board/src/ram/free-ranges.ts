// SPDX-License-Identifier: Apache-2.0
// Free address ranges: ascending, never touching each other, taken from the top.

import { alignDown } from '@irqkit/bits';

export class FreeRanges {
  readonly #bases: number[] = [];
  readonly #ends: number[] = [];

  /** Adds a range that shares no byte with what is free; joins it with its neighbours. */
  give(base: number, end: number): void {
    const at = this.#firstAbove(base);
    const joinsBelow = at > 0 && this.#ends[at - 1] === base;
    const joinsAbove = at < this.#bases.length && this.#bases[at] === end;
    if (joinsBelow && joinsAbove) {
      this.#ends.splice(at - 1, 1);
      this.#bases.splice(at, 1);
    } else if (joinsBelow) this.#ends[at - 1] = end;
    else if (joinsAbove) this.#bases[at] = base;
    else {
      this.#bases.splice(at, 0, base);
      this.#ends.splice(at, 0, end);
    }
  }

  /** Removes whatever of [base, end) is free. */
  exclude(base: number, end: number): void {
    for (let i = this.#bases.length - 1; i >= 0; i--) {
      const [from, to] = [this.#bases[i], this.#ends[i]];
      if (from >= end || to <= base) continue;
      this.#bases.splice(i, 1);
      this.#ends.splice(i, 1);
      if (to > end) this.give(end, to);
      if (from < base) this.give(from, base);
    }
  }

  /**
   * The base of the highest free range of `sizeBytes` at a multiple of `align`, taken out; undefined where there is none.
   * It does not cross a multiple of `boundary`, which `sizeBytes` must not exceed; `align` and `boundary` divide one another.
   */
  take(sizeBytes: number, align: number, boundary: number): number | undefined {
    for (let i = this.#bases.length - 1; i >= 0; i--) {
      const end = this.#ends[i];
      let base = alignDown(end - sizeBytes, align);
      const crossed = alignDown(base + sizeBytes - 1, boundary);
      if (crossed > base) base = alignDown(crossed - sizeBytes, align);
      if (base < this.#bases[i]) continue;
      this.#carve(i, base, base + sizeBytes);
      return base;
    }
    return undefined;
  }

  // The index of the first range whose base is above `base`.
  #firstAbove(base: number): number {
    let low = 0;
    let high = this.#bases.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#bases[middle] > base) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #carve(i: number, base: number, end: number): void {
    const [from, to] = [this.#bases[i], this.#ends[i]];
    if (to > end) {
      this.#bases.splice(i + 1, 0, end);
      this.#ends.splice(i + 1, 0, to);
    }
    this.#ends[i] = base;
    if (from === base) {
      this.#bases.splice(i, 1);
      this.#ends.splice(i, 1);
    }
  }
}
