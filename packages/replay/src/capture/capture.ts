// SPDX-License-Identifier: Apache-2.0
// A capture in memory: what the real drivers did, in the order of one global sequence.

import type { Firmware } from '@irqkit/core';

interface Recorded {
  /** Position in the sequence that all files of a capture share. */
  readonly n: number;
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** One access to a controller's registers. */
export interface CapturedAccess extends Recorded {
  readonly op: 'r' | 'w';
  readonly region: string;
  /** Bytes from the region's base. */
  readonly offset: number;
  /** 1, 2, 4 or 8 bytes. */
  readonly size: number;
  /** The value's low and high word; the high one is 0 unless `size` is 8. */
  readonly lo: number;
  readonly hi: number;
  /** -1 where no processor made it. */
  readonly cpu: number;
}

/** One line of a `*-events.jsonl`. */
export interface CapturedEvent extends Recorded {
  readonly event: string;
  /** Empty where the file gives fields instead. */
  readonly text: string;
}

export interface CapturedRegion {
  readonly name: string;
  readonly base: number;
  readonly sizeBytes: number;
}

export interface Capture {
  readonly dir: string;
  readonly firmware: Firmware;
  readonly regions: readonly CapturedRegion[];
  /** Accesses and events of all files, ascending by `n`. */
  readonly records: readonly (CapturedAccess | CapturedEvent)[];
}

export function isAccess(record: CapturedAccess | CapturedEvent): record is CapturedAccess {
  return 'op' in record;
}
