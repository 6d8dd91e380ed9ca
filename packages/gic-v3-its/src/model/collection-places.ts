// SPDX-License-Identifier: Apache-2.0
// Where a collection's entry is in memory: at its index, or somewhere in a list whose entries name their collections
// (Linux Documentation/virt/kvm/devices/arm-vgic-its.rst, "Collection Table Entry").

import type { Dma } from '@irqkit/core';
import type { BaseTable } from './base-table.js';
import type { EntryField, TableLayout } from '../layouts.js';
import { TableEntry } from './table-entry.js';

export interface CollectionPlaces {
  /** The address of a collection's entry; -1 where there is none. */
  find(icid: number): number;
  /** The same, making room where there is none yet; -1 where that fails. */
  place(icid: number): number;
  /** Makes a collection's entry invalid; false where memory fails. */
  remove(icid: number): boolean;
  /** Forgets what is known of memory. */
  drop(): void;
}

export class IndexedPlaces implements CollectionPlaces {
  readonly #table: BaseTable;
  readonly #entry: TableEntry;
  readonly #first: number;

  /** `first` is the collection of entry 0. */
  constructor(dma: Dma, table: BaseTable, bytes: number, first: number) {
    this.#table = table;
    this.#entry = new TableEntry(dma, bytes);
    this.#first = first;
  }

  find(icid: number): number {
    return this.#table.addressOf(icid - this.#first);
  }

  place(icid: number): number {
    return this.find(icid);
  }

  remove(icid: number): boolean {
    const address = this.find(icid);
    return address >= 0 && this.#entry.clear(address);
  }

  drop(): void {
    // Nothing is kept.
  }
}

/** ICIDs have 16 bits. */
const NR_ICIDS = 0x1_0000;

export class ListedPlaces implements CollectionPlaces {
  readonly #table: BaseTable;
  readonly #entry: TableEntry;
  readonly #valid: EntryField;
  readonly #icid: EntryField;
  /** The slot of each listed collection plus one, 0 for the others; only known while `#count` is. */
  #slots = new Uint32Array(0);
  #count = -1;

  constructor(dma: Dma, table: BaseTable, layout: TableLayout['CTE'], icid: EntryField) {
    this.#table = table;
    this.#entry = new TableEntry(dma, layout.bytes);
    this.#valid = layout.Valid;
    this.#icid = icid;
  }

  find(icid: number): number {
    this.#read();
    return this.#slots[icid] === 0 ? -1 : this.#table.addressOf(this.#slots[icid] - 1);
  }

  place(icid: number): number {
    const address = this.find(icid);
    if (address >= 0) return address;
    const slot = this.#count;
    if (slot >= this.#table.entries) return -1;
    if (slot + 1 < this.#table.entries && !this.#entry.clear(this.#table.addressOf(slot + 1))) return -1;
    this.#count++;
    this.#slots[icid] = slot + 1;
    return this.#table.addressOf(slot);
  }

  /** The last entry takes the place of the one that goes. */
  remove(icid: number): boolean {
    const address = this.find(icid);
    if (address < 0) return true;
    const last = this.#table.addressOf(this.#count - 1);
    const moved = this.#entry.load(last) && this.#entry.store(address);
    this.#slots[this.#icid(this.#entry.words)] = this.#slots[icid];
    this.#slots[icid] = 0;
    this.#count--;
    return moved && this.#entry.clear(last);
  }

  drop(): void {
    this.#count = -1;
  }

  // The list ends at the first entry that is invalid, or that names a collection a second time: no MAPC wrote that.
  #read(): void {
    if (this.#count >= 0) return;
    if (this.#slots.length === 0) this.#slots = new Uint32Array(NR_ICIDS);
    this.#slots.fill(0);
    for (this.#count = 0; this.#count < this.#table.entries; this.#count++) {
      if (!this.#entry.load(this.#table.addressOf(this.#count))) return;
      const { words } = this.#entry;
      if (this.#valid(words) === 0 || this.#slots[this.#icid(words)] !== 0) return;
      this.#slots[this.#icid(words)] = this.#count + 1;
    }
  }
}
