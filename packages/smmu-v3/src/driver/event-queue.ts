// SPDX-License-Identifier: Apache-2.0
// The event queue: records that the SMMU writes and software takes. IHI 0070, sections 3.5 and 7.2 "Event queue overflow".

import { EVENT } from '../layouts.js';
import { EVENTQ_BASE, EVENTQ_CONS, EVENTQ_PROD } from '../regs.js';
import { allocQueue, queueBase } from './queue-memory.js';
import type { SmmuUnit } from './smmu-unit.js';

const EVENT_WORDS = EVENT.bytes / 4;

export class EventQueue {
  /** EVENTQ_BASE. */
  readonly base: Uint32Array;
  readonly #unit: SmmuUnit;
  readonly #words: Uint32Array;
  readonly #record = new Uint32Array(EVENT_WORDS);
  readonly #nrSlots: number;
  /** Of a position: the wrap bit is above the index. */
  readonly #mask: number;
  /** What the SMMU was last seen to have written; what was taken. */
  #written = 0;
  #taken = 0;
  /** EVENTQ_PROD.OVFLG as last seen, and as acknowledged. */
  #overflow = 0;
  #acknowledged = 0;

  /** @throws LinuxError ENOMEM */
  constructor(unit: SmmuUnit) {
    const memory = allocQueue(unit, unit.features.log2Events, EVENT.bytes, 'the event queue');
    this.#unit = unit;
    this.#words = memory.buffer.words;
    this.#nrSlots = 2 ** memory.log2Size;
    this.#mask = 2 * this.#nrSlots - 1;
    this.base = queueBase(memory, EVENTQ_BASE, EVENTQ_BASE.WA);
  }

  /** Takes every record there is. What is handed over is good until the next one. @linux arm_smmu_evtq_thread */
  drain(take: (record: Uint32Array) => void): void {
    do {
      while (this.#taken !== this.#written) {
        const slot = this.#taken & (this.#nrSlots - 1);
        this.#record.set(this.#words.subarray(slot * EVENT_WORDS, (slot + 1) * EVENT_WORDS));
        this.#taken = (this.#taken + 1) & this.#mask;
        this.#writeConsumer();
        take(this.#record);
      }
      this.#readProducer();
    } while (this.#taken !== this.#written);
    if (this.#acknowledged === this.#overflow) return;
    this.#acknowledged = this.#overflow;
    this.#writeConsumer();
  }

  #readProducer(): void {
    const { path, registers, page1Shift, log } = this.#unit;
    const value = registers.read(EVENTQ_PROD.offset + page1Shift, 4);
    this.#written = EVENTQ_PROD.WR(value) & this.#mask;
    if (EVENTQ_PROD.OVFLG(value) === this.#overflow) return;
    this.#overflow = EVENTQ_PROD.OVFLG(value);
    log.warn(`${path}: the event queue overflowed: events are lost`);
  }

  #writeConsumer(): void {
    const { registers, page1Shift } = this.#unit;
    registers.write(EVENTQ_CONS.offset + page1Shift, EVENTQ_CONS.OVACKFLG.set(this.#taken, this.#acknowledged), 4);
  }
}
