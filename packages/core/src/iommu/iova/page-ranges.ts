// SPDX-License-Identifier: Apache-2.0
// Page numbers as ranges: in ascending order, none touching another.

/** From `first` to `last`, both inside. */
export interface PageRange {
  readonly first: number;
  readonly last: number;
}

export class PageRanges {
  #ranges: readonly PageRange[] = [];

  add({ first, last }: PageRange): void {
    const apart = this.#ranges.filter((one) => one.last + 1 < first || last + 1 < one.first);
    const joined = this.#ranges.filter((one) => !apart.includes(one));
    const whole = {
      first: Math.min(first, ...joined.map((one) => one.first)),
      last: Math.max(last, ...joined.map((one) => one.last)),
    };
    this.#ranges = [...apart, whole].sort((a, b) => a.first - b.first);
  }

  /** What of a range is not in these, in ascending order. */
  missingFrom({ first, last }: PageRange): PageRange[] {
    const left: PageRange[] = [];
    let from = first;
    for (const one of this.#ranges) {
      if (from < one.first && from <= last) left.push({ first: from, last: Math.min(last, one.first - 1) });
      from = Math.max(from, one.last + 1);
    }
    if (from <= last) left.push({ first: from, last });
    return left;
  }
}
