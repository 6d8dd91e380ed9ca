// SPDX-License-Identifier: Apache-2.0
// Device table and interrupt translation tables: DeviceID and EventID to LPI and collection. IHI 0069, section 5.2.

import type { Dma } from '@irqkit/core';
import { FIRST_LPI } from '../regs.js';
import type { ItsParameters } from '../silicon.js';
import { BaseTable } from './base-table.js';
import type { ItsError } from './its-error.js';
import type { TableLayout } from '../layouts.js';
import { TableEntry } from './table-entry.js';

export class Devices {
  readonly table: BaseTable;
  readonly #parameters: ItsParameters;
  readonly #layout: TableLayout;
  readonly #dte: TableEntry;
  readonly #ite: TableEntry;
  /** Where the last entry was written. */
  storedAt = 0;
  // What the last find() or findEvent() found.
  #ittAddress = 0;
  nrEvents = 0;
  lpi = 0;
  icid = 0;

  constructor(dma: Dma, parameters: ItsParameters) {
    this.#parameters = parameters;
    this.#layout = parameters.layout;
    this.table = new BaseTable(dma, this.#layout.DTE.bytes);
    this.#dte = new TableEntry(dma, this.#layout.DTE.bytes);
    this.#ite = new TableEntry(dma, this.#layout.ITE.bytes);
  }

  /** DeviceIDs below this have an entry. */
  get limit(): number {
    return Math.min(this.#parameters.nrDeviceIds, this.table.entries);
  }

  /** Maps a device to the interrupt translation table at `ittAddress`, for 2^(size + 1) events. */
  map(deviceId: number, ittAddress: number, size: number): ItsError | undefined {
    if (deviceId >= this.limit) return 'DEVICE_OOR';
    const { Valid, ITT_addr, Size, next } = this.#layout.DTE;
    const { words } = this.#dte;
    words.fill(0);
    Valid.put(words, 1);
    ITT_addr.put(words, ittAddress / 256);
    Size.put(words, size);
    next?.put(words, nextOf(deviceId, this.limit));
    return this.#store(this.#dte, this.table.addressOf(deviceId));
  }

  unmap(deviceId: number): ItsError | undefined {
    if (deviceId >= this.limit) return 'DEVICE_OOR';
    this.#dte.words.fill(0);
    return this.#store(this.#dte, this.table.addressOf(deviceId));
  }

  /** Finds a device's table; leaves `nrEvents`. */
  find(deviceId: number): ItsError | undefined {
    if (deviceId >= this.limit) return 'DEVICE_OOR';
    const address = this.table.addressOf(deviceId);
    if (address < 0) return 'UNMAPPED_DEVICE';
    const { DTE } = this.#layout;
    const { words } = this.#dte;
    if (!this.#dte.load(address)) return 'TABLE';
    if (DTE.Valid(words) === 0) return 'UNMAPPED_DEVICE';
    this.#ittAddress = DTE.ITT_addr(words) * 256;
    this.nrEvents = Math.min(2 ** (DTE.Size(words) + 1), this.#parameters.nrEventIds);
    return undefined;
  }

  /** Finds a mapped event; leaves `nrEvents`, `lpi` and `icid`. */
  findEvent(deviceId: number, eventId: number): ItsError | undefined {
    const error = this.find(deviceId);
    if (error !== undefined) return error;
    if (eventId >= this.nrEvents) return 'ID_OOR';
    const { ITE } = this.#layout;
    const { words } = this.#ite;
    if (!this.#ite.load(this.#ittAddress + eventId * ITE.bytes)) return 'TABLE';
    if (ITE.Valid(words) === 0) return 'UNMAPPED_INTERRUPT';
    this.lpi = ITE.pINTID(words);
    this.icid = ITE.ICID(words);
    // Memory may hold what no MAPTI wrote.
    return this.lpi >= FIRST_LPI ? undefined : 'UNMAPPED_INTERRUPT';
  }

  /** Maps an event of the device that find() or findEvent() found last; `eventId` is below `nrEvents`. */
  mapEvent(eventId: number, lpi: number, icid: number): ItsError | undefined {
    const { ITE } = this.#layout;
    const { words } = this.#ite;
    words.set(ITE.blank);
    ITE.Valid.put(words, 1);
    ITE.pINTID.put(words, lpi);
    ITE.ICID.put(words, icid);
    ITE.next?.put(words, nextOf(eventId, this.nrEvents));
    if (ITE.pINTID(words) !== lpi) return 'TABLE';
    return this.#store(this.#ite, this.#ittAddress + eventId * ITE.bytes);
  }

  /** Unmaps an event of the device that findEvent() found last. */
  unmapEvent(eventId: number): ItsError | undefined {
    this.#ite.words.fill(0);
    return this.#store(this.#ite, this.#ittAddress + eventId * this.#layout.ITE.bytes);
  }

  #store(entry: TableEntry, address: number): ItsError | undefined {
    if (address < 0 || !entry.store(address)) return 'TABLE';
    this.storedAt = address;
    return undefined;
  }
}

// CHOICE: KVM's `next` leads to the neighbour, mapped or not: its readers step over invalid entries one by one. Only the
// last slot has 0, past which no `next` may lead.
function nextOf(index: number, limit: number): number {
  return index === limit - 1 ? 0 : 1;
}
