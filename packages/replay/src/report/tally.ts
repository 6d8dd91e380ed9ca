// SPDX-License-Identifier: Apache-2.0
// Collects a report while a replay runs.

import type { CapturedAccess, CapturedEvent } from '../capture/capture.js';
import type { Departure, Disagreement, GivenInput, NotCovered, ReplayReport } from './replay-report.js';

type CaptureRecord = CapturedAccess | CapturedEvent;

/** Where an answer was recorded. */
type Recorded = CaptureRecord | { readonly file: string; readonly line?: number; readonly n?: number };

interface Counted {
  what: string;
  count: number;
  why: string;
}

export class Tally {
  readonly #kinds = new Map<string, { kind: string; compared: number; agreed: number; given: number }>();
  readonly #given = new Map<string, Counted>();
  readonly #givenRecords = new Set<Recorded>();
  readonly #notCovered = new Map<string, Counted>();
  readonly #departures = new Map<string, Counted & { section: string }>();
  readonly #replayed = { cpuWrites: 0, deviceWrites: 0 };
  #first: Disagreement | undefined;

  /** Makes a kind appear in the report, in this order, also where nothing of it is compared. */
  expect(kind: string): void {
    if (!this.#kinds.has(kind)) this.#kinds.set(kind, { kind, compared: 0, agreed: 0, given: 0 });
  }

  /** Counts one answer; the first that differs is kept with its place. */
  compare(kind: string, record: Recorded, place: string, expected: string | number, got: string | number): void {
    this.expect(kind);
    const counts = this.#kinds.get(kind)!;
    counts.compared++;
    if (this.#givenRecords.has(record)) counts.given++;
    if (expected === got) {
      counts.agreed++;
      return;
    }
    const { file, line, n } = record;
    this.#first ??= { kind, file, line, n, place, expected: shown(expected), got: shown(got) };
  }

  /** Counts an input; the answers recorded in `records` are given with it. */
  give(what: string, why: string, ...records: readonly CaptureRecord[]): void {
    count(this.#given, what, why);
    for (const record of records) this.#givenRecords.add(record);
  }

  notCovered(what: string, why: string): void {
    count(this.#notCovered, what, why);
  }

  /** Counts an answer that the manual, at `section`, wants otherwise than it was recorded. */
  departs(what: string, why: string, section: string): void {
    count(this.#departures, what, why, { section });
  }

  wrote(by: 'cpu' | 'device'): void {
    this.#replayed[by === 'cpu' ? 'cpuWrites' : 'deviceWrites']++;
  }

  report(dir: string): ReplayReport {
    const kinds = [...this.#kinds.values()];
    const given: GivenInput[] = [...this.#given.values()];
    const notCovered: NotCovered[] = [...this.#notCovered.values()];
    const departures: Departure[] = [...this.#departures.values()];
    const firstDisagreement = this.#first;
    return {
      dir,
      kinds,
      replayed: this.#replayed,
      given,
      notCovered,
      departures,
      firstDisagreement,
      agrees: firstDisagreement === undefined,
    };
  }
}

function count<More extends object>(
  counts: Map<string, Counted & More>,
  what: string,
  why: string,
  more = {} as More,
): void {
  const key = `${what}\n${why}`;
  const entry = counts.get(key) ?? { what, count: 0, why, ...more };
  entry.count++;
  counts.set(key, entry);
}

function shown(value: string | number): string {
  return typeof value === 'string' ? value : `0x${value.toString(16)}`;
}
