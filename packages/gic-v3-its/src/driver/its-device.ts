// SPDX-License-Identifier: Apache-2.0
// One DeviceID: its ITT, its block of LPIs, and which of its events are taken. @linux struct its_device

import type { MappedDevice } from './command-words.js';
import type { Itt } from './itt-pool.js';

const NOWHERE = -1;

export class ItsDevice implements MappedDevice {
  readonly deviceId: number;
  readonly itt: Itt;
  /** Entries of the ITT. */
  readonly nrEvents: number;
  readonly firstLpi: number;
  readonly nrLpis: number;
  /** How many preparations it serves: more than one where devices share the DeviceID. */
  users = 1;
  readonly #taken: Uint8Array;
  readonly #cpus: Int32Array;

  constructor(facts: Pick<ItsDevice, 'deviceId' | 'itt' | 'nrEvents' | 'firstLpi' | 'nrLpis'>) {
    ({
      deviceId: this.deviceId,
      itt: this.itt,
      nrEvents: this.nrEvents,
      firstLpi: this.firstLpi,
      nrLpis: this.nrLpis,
    } = facts);
    this.#taken = new Uint8Array(this.nrLpis);
    this.#cpus = new Int32Array(this.nrLpis).fill(NOWHERE);
  }

  get ittAddress(): number {
    return this.itt.address;
  }

  /** The lowest free run of `nr` EventIDs, aligned to its size, a power of two; -1 where there is none. */
  takeEvents(nr: number): number {
    for (let first = 0; first + nr <= this.nrLpis; first += nr)
      if (this.#areFree(first, nr)) {
        this.#taken.fill(1, first, first + nr);
        return first;
      }
    return -1;
  }

  giveEvents(first: number, nr: number): void {
    this.#taken.fill(0, first, first + nr);
  }

  /** The processor an event goes to; -1 while it is not mapped. */
  cpuOf(eventId: number): number {
    return this.#cpus[eventId];
  }

  setCpu(eventId: number, cpu: number): void {
    this.#cpus[eventId] = cpu;
  }

  unsetCpu(eventId: number): void {
    this.#cpus[eventId] = NOWHERE;
  }

  /** Mapped events that go to `cpu`, ascending. */
  eventsOn(cpu: number): readonly number[] {
    const events: number[] = [];
    this.#cpus.forEach((on, eventId) => {
      if (on === cpu) events.push(eventId);
    });
    return events;
  }

  #areFree(first: number, nr: number): boolean {
    for (let eventId = first; eventId < first + nr; eventId++) if (this.#taken[eventId]) return false;
    return true;
  }
}
