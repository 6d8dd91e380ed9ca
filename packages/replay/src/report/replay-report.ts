// SPDX-License-Identifier: Apache-2.0
// What a replay found.

/** One kind of answer that models gave and captures recorded. */
export interface KindReport {
  /** `GICD reads`, `MSIs`, `deliveries` … */
  readonly kind: string;
  readonly compared: number;
  readonly agreed: number;
  /** Of those compared: answers that the capture itself gave, as silicon's value or as a raised line. */
  readonly given: number;
}

/** Inputs that do not follow from what was replayed, and are taken from the capture. */
export interface GivenInput {
  readonly what: string;
  readonly count: number;
  readonly why: string;
}

/** What the capture has and nothing here looks at. */
export interface NotCovered {
  readonly what: string;
  readonly count: number;
  readonly why: string;
}

/** Where what was recorded departs from the architecture, and the models follow the manual. */
export interface Departure {
  readonly what: string;
  readonly count: number;
  readonly why: string;
  /** Document and section that say so. */
  readonly section: string;
}

/** A record that was played and not compared. */
export interface Excluded {
  readonly file: string;
  readonly line: number;
  readonly scenario: string;
  readonly call: string;
  readonly n: number;
  readonly reason: string;
}

export interface Disagreement {
  readonly kind: string;
  readonly file: string;
  /** Missing in files that are not written line by line. */
  readonly line?: number;
  /** Position in the capture's sequence, where it has one. */
  readonly n?: number;
  /** `gicc+0xc, cpu 0` */
  readonly place: string;
  readonly expected: string;
  readonly got: string;
}

export interface ReplayReport {
  readonly dir: string;
  readonly kinds: readonly KindReport[];
  /** Writes by processors, and writes by devices. */
  readonly replayed: { readonly cpuWrites: number; readonly deviceWrites: number };
  readonly given: readonly GivenInput[];
  readonly notCovered: readonly NotCovered[];
  readonly departures: readonly Departure[];
  /** Of recordings that have some: which, and why. */
  readonly excluded?: readonly Excluded[];
  readonly firstDisagreement: Disagreement | undefined;
  /** True where all that was compared agreed, also where nothing was. */
  readonly agrees: boolean;
}
