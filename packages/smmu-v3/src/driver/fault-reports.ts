// SPDX-License-Identifier: Apache-2.0
// What is done about event records: listeners and the log are told, and transactions that wait are aborted.

import type { CommandQueue } from './command-queue.js';
import { abortStalled } from './command-words.js';
import type { EventQueue } from './event-queue.js';
import type { Masters } from './masters.js';
import { decodeFault, describeFault } from './smmu-fault.js';
import type { SmmuFault } from './smmu-fault.js';
import type { SmmuUnit } from './smmu-unit.js';

export type FaultListener = (fault: SmmuFault) => void;

/** Of one interrupt; a bus has no clock to limit a rate by. @linux DEFAULT_RATELIMIT_BURST */
const MAX_LOGGED = 10;

export class FaultReports {
  readonly #unit: SmmuUnit;
  readonly #queue: CommandQueue;
  readonly #events: EventQueue;
  readonly #masters: Masters;
  readonly #listeners = new Set<FaultListener>();

  constructor(unit: SmmuUnit, queue: CommandQueue, events: EventQueue, masters: Masters) {
    this.#unit = unit;
    this.#queue = queue;
    this.#events = events;
    this.#masters = masters;
  }

  add(listener: FaultListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Takes all records there are. */
  serve(): void {
    const { path, log } = this.#unit;
    let nr = 0;
    this.#events.drain((record) => {
      const fault = decodeFault(record, (sid) => this.#masters.deviceOf(sid));
      // UNIMP: retrying of stalled transactions (dma-can-stall)
      if (fault.stalled) this.#queue.post(abortStalled(fault.streamId, fault.stag));
      if (nr++ < MAX_LOGGED) log.warn(`${path}: ${describeFault(fault)}`);
      for (const listener of this.#listeners) listener(fault);
    });
    if (nr > MAX_LOGGED) log.warn(`${path}: and ${nr - MAX_LOGGED} events more`);
  }
}
