// SPDX-License-Identifier: Apache-2.0
// One replay: the board that is driven, the capture that drives it, and the count of what agreed.

import { hex } from '@irqkit/bits';
import type { Board } from '@irqkit/board';
import { LinuxError, physAddr } from '@irqkit/core';
import type { AccessSize, Requester, Silicon } from '@irqkit/core';
import type { AdapterRun, CoveredRegion, PendingLpi } from './adapter.js';
import { CaptureError } from './capture/capture-error.js';
import { isAccess } from './capture/capture.js';
import type { Capture, CapturedAccess, CapturedEvent } from './capture/capture.js';
import type { RamSnapshot } from './capture/ram-snapshot.js';
import type { Tally } from './report/tally.js';

export interface SessionParts {
  readonly board: Board;
  readonly capture: Capture;
  readonly tally: Tally;
  readonly regions: readonly CoveredRegion[];
  /** By node path. */
  readonly silicon: Readonly<Record<string, Silicon>>;
  /** Filled while adapters start. */
  readonly runs: readonly AdapterRun[];
}

export class ReplaySession {
  readonly board: Board;
  readonly capture: Capture;
  readonly tally: Tally;
  readonly #bases: ReadonlyMap<string, number>;
  readonly #silicon: Readonly<Record<string, Silicon>>;
  readonly #runs: readonly AdapterRun[];
  /** Index of the record that is being replayed. */
  #at = 0;

  constructor(parts: SessionParts) {
    this.board = parts.board;
    this.capture = parts.capture;
    this.tally = parts.tally;
    this.#bases = new Map(parts.regions.map(({ name, base }) => [name, base]));
    this.#silicon = parts.silicon;
    this.#runs = parts.runs;
  }

  /** What the capture gave to a node's model. */
  siliconOf(path: string): Silicon {
    return this.#silicon[path] ?? {};
  }

  /** Records in order; each call of `visit` sees `following` from its own. */
  forEachRecord(visit: (record: CapturedAccess | CapturedEvent) => void): void {
    for (this.#at = 0; this.#at < this.capture.records.length; this.#at++) visit(this.capture.records[this.#at]);
  }

  /** RAM at the first snapshot from `n` on, or at the last of all; undefined where there is none. */
  ramAfter(n: number): RamSnapshot | undefined {
    const { snapshots } = this.capture;
    return snapshots.find((one) => one.n >= n) ?? snapshots.at(-1);
  }

  /** The first event of that name between the current record and the next access. */
  following(event: string, accepts: (event: CapturedEvent) => boolean): CapturedEvent | undefined {
    for (let i = this.#at + 1; i < this.capture.records.length; i++) {
      const record = this.capture.records[i];
      if (isAccess(record)) return undefined;
      if (record.event === event && accepts(record)) return record;
    }
    return undefined;
  }

  /**
   * Makes the processor's access again. A read's answer is compared with the capture's as `kind`.
   * @returns what was read, the low word of 64 bits; 0 for a write
   */
  perform(access: CapturedAccess, kind: string): number {
    const { cpu, lo, size } = access;
    // UNIMP: accesses of devices other than messages
    if (cpu < 0) {
      this.tally.notCovered(`accesses to ${access.region}`, 'made by no processor');
      return 0;
    }
    const pa = physAddr(this.#addressOf(access));
    try {
      if (access.op === 'w') {
        if (size === 8) this.board.access.write64(pa, lo, access.hi, cpu);
        else this.board.access.write(pa, lo, size as AccessSize, cpu);
        this.tally.wrote('cpu');
        return 0;
      }
      const place = `${access.region}+${hex(access.offset)}, cpu ${cpu}`;
      const value = this.board.access.read(pa, size === 8 ? 4 : (size as AccessSize), cpu);
      if (size < 8) this.tally.compare(kind, access, place, lo, value);
      else {
        const high = this.board.access.read(physAddr(pa + 4), 4, cpu);
        this.tally.compare(kind, access, place, pair(lo, access.hi), pair(value, high));
      }
      return value;
    } catch (error) {
      if (!LinuxError.is(error)) throw error;
      throw new CaptureError(`${this.capture.dir}/${access.file}:${access.line}`, error.message, { cause: error });
    }
  }

  /** Makes a device's write again. */
  deviceWrite(access: CapturedAccess): void {
    const { deviceId } = access;
    const by: Requester = { kind: 'device', cpu: -1, requesterId: -1, streamId: -1, deviceId };
    this.board.access.deviceWrite(physAddr(this.#addressOf(access)), access.lo, access.size as AccessSize, by);
    this.tally.wrote('device');
  }

  /** True for an INTID that something on the board raises by itself. */
  isMessage(intid: number): boolean {
    return this.#runs.some((run) => run.raises?.(intid) ?? false);
  }

  /** The SPIs that are pending now. */
  pendingSpis(): readonly number[] {
    return this.#runs.flatMap((run) => run.pendingSpis?.() ?? []);
  }

  /** The LPIs that are pending now. */
  pendingLpis(): readonly PendingLpi[] {
    return this.#runs.flatMap((run) => run.pendingLpis?.() ?? []);
  }

  /** Where the LPI configuration table is. */
  lpiConfigurationTable(): number | undefined {
    return this.#runs.map((run) => run.lpiConfigurationTable?.()).find((table) => table !== undefined);
  }

  #addressOf({ region, offset }: CapturedAccess): number {
    return (this.#bases.get(region) ?? 0) + offset;
  }
}

function pair(lo: number, hi: number): string {
  return hi === 0 ? hex(lo) : `${hex(hi)}${lo.toString(16).padStart(8, '0')}`;
}
