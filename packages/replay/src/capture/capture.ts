// SPDX-License-Identifier: Apache-2.0
// A capture in memory: what the real drivers did, in the order of one global sequence.

import type { Firmware } from '@irqkit/core';
import type { RamSnapshot } from './ram-snapshot.js';
import type { SmmuTables } from './smmu-tables.js';

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
  /** The DeviceID that came with a device's write; -1 where the capture does not say it. */
  readonly deviceId: number;
}

/** One line of a `*-events.jsonl`. */
export interface CapturedEvent extends Recorded {
  readonly event: string;
  /** Empty where the file gives fields instead. */
  readonly text: string;
  /** The whole line. */
  readonly fields: Readonly<Record<string, unknown>>;
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
  /** Ascending by `n`. */
  readonly snapshots: readonly RamSnapshot[];
  /** Of the snapshots for which the recorder wrote down what an SMMU maps; ascending by `n`. */
  readonly smmuTables: readonly SmmuTables[];
}

export function isAccess(record: CapturedAccess | CapturedEvent): record is CapturedAccess {
  return 'op' in record;
}
