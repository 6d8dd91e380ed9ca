// SPDX-License-Identifier: Apache-2.0
// Where the entries of a table are that a GITS_BASER<n> describes, flat or in two levels. IHI 0069, section 5.2.

import type { Dma } from '@irqkit/core';
import { GITS_BASER, GITS_PAGE_BYTES, LEVEL1_ENTRY, tableAddress } from '../regs.js';
import { TableEntry } from './table-entry.js';

/** GITS_TYPER.ITT_entry_size and GITS_BASER<n>.Entry_Size say 32 at most. */
const MAX_ENTRY_BYTES = 32;

export class BaseTable {
  /** How many entries the table may have. */
  entries = 0;
  readonly #entryBytes: number;
  readonly #level1: TableEntry;
  #base = 0;
  #sizeBytes = 0;
  #indirect = false;
  #entriesPerPage = 0;

  constructor(dma: Dma, entryBytes: number) {
    this.#entryBytes = entryBytes;
    this.#level1 = new TableEntry(dma, LEVEL1_ENTRY.bytes);
  }

  /** Takes the register's value; undefined where the ITS has no such table. */
  describe(baser: Uint32Array | undefined): void {
    this.entries = 0;
    this.#sizeBytes = 0;
    if (baser === undefined || GITS_BASER.Valid(baser) === 0) return;
    const pageBytes = GITS_PAGE_BYTES[GITS_BASER.Page_Size(baser)];
    this.#sizeBytes = (GITS_BASER.Size(baser) + 1) * pageBytes;
    this.#base = tableAddress(baser);
    this.#indirect = GITS_BASER.Indirect(baser) === 1;
    this.#entriesPerPage = Math.floor(pageBytes / this.#entryBytes);
    this.entries = this.#indirect
      ? (this.#sizeBytes / LEVEL1_ENTRY.bytes) * this.#entriesPerPage
      : Math.floor(this.#sizeBytes / this.#entryBytes);
  }

  /** The address of an entry below `entries`; -1 where its level 2 page is not allocated. */
  addressOf(index: number): number {
    if (!this.#indirect) return this.#base + index * this.#entryBytes;
    const within = index % this.#entriesPerPage;
    const level1 = this.#level1;
    if (!level1.load(this.#base + ((index - within) / this.#entriesPerPage) * LEVEL1_ENTRY.bytes)) return -1;
    if (LEVEL1_ENTRY.Valid(level1.words) === 0) return -1;
    return LEVEL1_ENTRY.Physical_Address(level1.words) + within * this.#entryBytes;
  }

  /** True where an entry written at `address` reaches into what GITS_BASER<n> describes. */
  covers(address: number): boolean {
    return address > this.#base - MAX_ENTRY_BYTES && address < this.#base + this.#sizeBytes;
  }
}
