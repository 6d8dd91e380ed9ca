// SPDX-License-Identifier: Apache-2.0
// The LPI configuration byte at each INV. Linux stores it in RAM and then has the Redistributor look at it; a capture has what
// its snapshots have of them, and when LPIs were acknowledged.

import { regs as gic } from '@irqkit/gic-v3';
import { commands, regs } from '@irqkit/gic-v3-its';
import { isAccess } from '../../capture/capture.js';
import type { Capture } from '../../capture/capture.js';
import { commandName } from './command-operands.js';
import type { QueuedCommand } from './queued-commands.js';

const { INV, MAPI, MAPTI } = commands;
const ENABLE = gic.LPI_CONFIGURATION.Enable.mask;

/** How a byte is known. */
export const KNOWN_BY = {
  SNAPSHOT: 'stored in RAM by processors: from a snapshot before the next INV of the LPI',
  ACKNOWLEDGES: 'stored in RAM by processors: enabled where the LPI is acknowledged before its next INV',
} as const;

export interface ConfigurationByte {
  readonly lpi: number;
  readonly byte: number;
  readonly why: string;
}

export class LpiConfiguration {
  readonly #capture: Capture;
  /** The LPI of each INV, and the position of the next INV of the same. */
  readonly #invalidated = new Map<QueuedCommand, { readonly lpi: number; next: number }>();
  /** Positions of each LPI's acknowledges. */
  readonly #acknowledged = new Map<number, number[]>();

  constructor(capture: Capture, queued: readonly QueuedCommand[]) {
    this.#capture = capture;
    const lpis = new Map<string, number>();
    const last = new Map<number, { next: number }>();
    for (const command of queued) {
      const { words, by } = command;
      if (!words) continue;
      const key = `${INV.DeviceID(words)}/${INV.EventID(words)}`;
      const name = commandName(words);
      if (name === 'MAPTI') lpis.set(key, MAPTI.pINTID(words));
      else if (name === 'MAPI') lpis.set(key, MAPI.EventID(words));
      const lpi = lpis.get(key);
      if (name !== 'INV' || lpi === undefined) continue;
      const former = last.get(lpi);
      if (former) former.next = by.n;
      const entry = { lpi, next: Infinity };
      last.set(lpi, entry);
      this.#invalidated.set(command, entry);
    }
    for (const record of capture.records) {
      if (isAccess(record) || record.event !== 'gicv3_icc_iar1_read') continue;
      const intid = parseInt(/value 0x([0-9a-f]+)$/.exec(record.text)?.[1] ?? '', 16);
      this.#acknowledged.set(intid, [...(this.#acknowledged.get(intid) ?? []), record.n]);
    }
  }

  /** What the table at `table` must hold before an INV is run; undefined where that is no INV, or no snapshot says it. */
  at(command: QueuedCommand, table: number): ConfigurationByte | undefined {
    const entry = this.#invalidated.get(command);
    if (!entry) return undefined;
    const { lpi, next } = entry;
    const { n } = command.by;
    const { snapshots } = this.#capture;
    const own = snapshots.find((one) => one.n >= n && one.n < next);
    const nearest = own ?? snapshots.find((one) => one.n >= n) ?? snapshots.at(-1);
    const byte = new Uint8Array(1);
    if (!nearest?.load(table + lpi - regs.FIRST_LPI, byte)) return undefined;
    if (own) return { lpi, byte: byte[0], why: KNOWN_BY.SNAPSHOT };
    const enabled = this.#acknowledged.get(lpi)?.some((at) => at > n && at < next) ?? false;
    return { lpi, byte: enabled ? byte[0] | ENABLE : byte[0] & ~ENABLE, why: KNOWN_BY.ACKNOWLEDGES };
  }
}
