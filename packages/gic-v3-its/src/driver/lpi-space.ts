// SPDX-License-Identifier: Apache-2.0
// The LPIs of one GIC, taken in blocks: the lowest free run that is long enough, wherever it starts.

import { FIRST_LPI } from '../regs.js';

interface Run {
  first: number;
  nr: number;
}

/** @linux alloc_lpi_range, free_lpi_range */
export class LpiSpace {
  /** Free runs, ascending; neighbours are merged. */
  readonly #free: Run[];

  /** INTIDs from 8192 up to 2^idBits. */
  constructor(idBits: number) {
    this.#free = [{ first: FIRST_LPI, nr: 2 ** idBits - FIRST_LPI }];
  }

  get nrFree(): number {
    return this.#free.reduce((sum, { nr }) => sum + nr, 0);
  }

  /** The first of `nr` consecutive LPIs; -1 where there is no such run. */
  alloc(nr: number): number {
    const at = this.#free.findIndex((run) => run.nr >= nr);
    if (at < 0) return -1;
    const run = this.#free[at];
    const { first } = run;
    run.first += nr;
    run.nr -= nr;
    if (run.nr === 0) this.#free.splice(at, 1);
    return first;
  }

  /** Gives back what alloc(nr) returned. */
  free(first: number, nr: number): void {
    const at = this.#firstAbove(first);
    const before = this.#free[at - 1] as Run | undefined;
    const after = this.#free[at] as Run | undefined;
    const joinsBefore = before !== undefined && before.first + before.nr === first;
    const joinsAfter = after !== undefined && first + nr === after.first;
    if (joinsBefore && joinsAfter) {
      before.nr += nr + after.nr;
      this.#free.splice(at, 1);
    } else if (joinsBefore) before.nr += nr;
    else if (joinsAfter) {
      after.first = first;
      after.nr += nr;
    } else this.#free.splice(at, 0, { first, nr });
  }

  #firstAbove(intid: number): number {
    let low = 0;
    let high = this.#free.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#free[middle].first < intid) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
