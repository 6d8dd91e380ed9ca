// SPDX-License-Identifier: Apache-2.0
// The tables of one page table, and ways to an entry. Beside each table above the last level stands a directory: for every
// entry, which table it leads to, so that a descent reads no descriptor before it is there. But for the first, no table is empty.

import type { PhysAddr } from '@irqkit/core';
import { ENTRY, HIGH_WORD, HIGH_WORD_OF, INVERSES, LAST_LEVEL, LOW_WORD } from '../descriptors.js';
import type { Geometry } from './geometry.js';
import type { TablePool } from './table-pool.js';

const VALID = LOW_WORD.Valid.mask;

/** What a directory says of the table that an entry leads to, in words. */
export const DIRECTORY_ENTRY = {
  /** The directory of that table; 0 where there is none. */
  DIRECTORY: 0,
  /** Its number; 0 where there is none. */
  TABLE: 1,
  /** How many of its entries are valid. */
  NR_VALID: 2,
  /** How many of those lead to tables. */
  NR_TABLES: 3,
  log2Words: 2,
} as const;

/** What stands before the directories, in words. */
export const PLACES = {
  /** What is said of the first table. */
  FIRST: 0,
  /** The entry of an address to which no directory leads. */
  NOWHERE: 4,
  /** Regions that were recalled lately, by the lowest bits of their number: it, and where the directory of it is. */
  RECENT: 8,
  NR_RECENT: 32,
  DIRECTORIES: 72,
} as const;

/** No place. */
export const NONE = -1;

// What is imported or exported V8 loads at each use: constants of the hot paths are the module's own.
const { DIRECTORY, TABLE, NR_VALID, NR_TABLES, log2Words } = DIRECTORY_ENTRY;
const { FIRST, RECENT, NR_RECENT } = PLACES;
const FIRST_DIRECTORY = PLACES.DIRECTORIES;

export class TableTree {
  readonly geometry: Geometry;
  readonly pool: TablePool;
  directories = new Int32Array(0);
  readonly indexMask: number = 0;
  /** The way that `deepest` took: of the table at each level, where its directory entry is. */
  readonly path = new Int32Array(LAST_LEVEL + 1);
  readonly #chunkMask: number;
  readonly #directoryWords: number = 0;
  #nextDirectory = 0;
  readonly #freeDirectories: number[] = [];

  /** @throws LinuxError ENOMEM */
  constructor(geometry: Geometry, pool: TablePool) {
    const nrFirstEntries = 2 ** (geometry.iasBits - geometry.startBits);
    this.geometry = geometry;
    this.pool = pool;
    this.indexMask = 2 ** geometry.indexBits - 1;
    this.#chunkMask = 2 ** pool.log2ChunkWords - 1;
    this.#directoryWords = 1 << (geometry.indexBits + log2Words);
    this.#nextDirectory = FIRST_DIRECTORY + Math.max(nrFirstEntries << log2Words, this.#directoryWords);
    this.directories = new Int32Array(this.#nextDirectory + this.#directoryWords);
    this.directories.fill(NONE, RECENT, FIRST_DIRECTORY);
    this.directories[FIRST + DIRECTORY] = FIRST_DIRECTORY;
    this.directories[FIRST + TABLE] = pool.join(nrFirstEntries * 8);
  }

  /** Of the first table. */
  get base(): PhysAddr {
    return this.pool.addressOf(this.directories[FIRST + TABLE]) as PhysAddr;
  }

  /** True for addresses that are not beyond the input size. */
  hasInput(hi: number): boolean {
    return hi >>> (this.geometry.iasBits - 32) === 0;
  }

  /** Remembers the region of an address; false where it has no directory, or is beyond the input size. */
  recall(hi: number, lo: number): boolean {
    const { pageBits, indexBits, regionBits } = this.geometry;
    if (!this.hasInput(hi)) return false;
    const at = this.tableWith(hi, lo, pageBits + indexBits);
    if (at === NONE) return false;
    const region = indexOf(hi, lo, regionBits);
    const index = indexOf(hi, lo, pageBits + indexBits);
    const recent = RECENT + ((region & (NR_RECENT - 1)) << 1);
    this.directories[recent] = region;
    this.directories[recent + 1] =
      this.entry(at, hi, lo, pageBits + indexBits) - ((index & this.indexMask) << log2Words);
    return true;
  }

  /** The directory entry of an address in the directory of the table at `at`, whose entries map 2^bits bytes. */
  entry(at: number, hi: number, lo: number, bits: number): number {
    const index = bits === this.geometry.startBits ? indexOf(hi, lo, bits) : indexOf(hi, lo, bits) & this.indexMask;
    return this.directories[at + DIRECTORY] + (index << log2Words);
  }

  /** Where the directory entry of the table is whose entries map 2^bits bytes; NONE where there is no such table. */
  tableWith(hi: number, lo: number, bits: number): number {
    let at: number = FIRST;
    for (let above = this.geometry.startBits; above > bits; above -= this.geometry.indexBits) {
      at = this.entry(at, hi, lo, above);
      if (this.directories[at + TABLE] === 0) return NONE;
    }
    return at;
  }

  /**
   * As far down as tables go, no further than to entries that map 2^leastBits bytes: the address bits below an entry there. Which
   * tables it came through stands in `path`, by level.
   */
  deepest(hi: number, lo: number, leastBits: number): number {
    const { startLevel, startBits, indexBits } = this.geometry;
    let bits = startBits;
    let at: number = FIRST;
    for (let level = startLevel; ; level++) {
      this.path[level] = at;
      if (bits <= leastBits || level === LAST_LEVEL) return bits;
      at = this.entry(at, hi, lo, bits);
      if (this.directories[at + TABLE] === 0) return bits;
      bits -= indexBits;
    }
  }

  /** How many entries that map 2^bits bytes follow in one table, from that of an address on. */
  leavesInTable(hi: number, lo: number, bits: number): number {
    return this.indexMask + 1 - (indexOf(hi, lo, bits) & this.indexMask);
  }

  levelOf(bits: number): number {
    return LAST_LEVEL - (bits - this.geometry.pageBits) / this.geometry.indexBits;
  }

  /** As `tableWith`, with tables added where they are missing. NONE where a block is there. @throws LinuxError ENOMEM */
  tableFor(hi: number, lo: number, bits: number): number {
    const { startBits, indexBits } = this.geometry;
    let at: number = FIRST;
    for (let above = startBits; above > bits; above -= indexBits) {
      const next = this.entry(at, hi, lo, above);
      if (this.directories[next + TABLE] === 0) {
        if ((this.low(at, hi, lo, above) & VALID) !== 0) return NONE;
        this.pool.reserve((above - bits) / indexBits);
        this.link(at, next, hi, lo, above, this.pool.take());
        this.directories[at + NR_VALID]++;
      }
      at = next;
    }
    return at;
  }

  /** The words of the chunk with the table at `at`. */
  words(at: number): Int32Array {
    return this.pool.chunkWords[this.directories[at + TABLE] >>> this.pool.log2ChunkWords];
  }

  /** Where in them the entry for an address is. */
  wordIndex(at: number, hi: number, lo: number, bits: number): number {
    const index = bits === this.geometry.startBits ? indexOf(hi, lo, bits) : indexOf(hi, lo, bits) & this.indexMask;
    return (this.directories[at + TABLE] & this.#chunkMask) + (index << 1);
  }

  /** The low word of that entry. */
  low(at: number, hi: number, lo: number, bits: number): number {
    return this.words(at)[this.wordIndex(at, hi, lo, bits)];
  }

  /** Makes the entry for an address, in the table at `at`, lead to `table`; `next`: its entry in the directory. */
  link(at: number, next: number, hi: number, lo: number, bits: number, table: number): void {
    const directory = bits - this.geometry.indexBits > this.geometry.pageBits ? this.takeDirectory() : 0;
    const { directories } = this;
    directories[next + DIRECTORY] = directory;
    directories[next + TABLE] = table;
    directories[at + NR_TABLES]++;
    const address = this.pool.addressOf(table);
    const words = this.words(at);
    const word = this.wordIndex(at, hi, lo, bits);
    // Where a block was, nothing is seen for a moment rather than half of each.
    words[word] = 0;
    words[word + 1] = highWordOf(address);
    words[word] = lowWordOf(address) | ENTRY.TABLE_OR_PAGE;
  }

  /** Takes the entry for an address out of the table at `at`; the number of the table that it led to, which is empty. */
  unlink(at: number, next: number, hi: number, lo: number, bits: number): number {
    const { directories } = this;
    const words = this.words(at);
    const word = this.wordIndex(at, hi, lo, bits);
    words[word] = 0;
    words[word + 1] = 0;
    directories[at + NR_VALID]--;
    directories[at + NR_TABLES]--;
    const table = directories[next + TABLE];
    if (directories[next + DIRECTORY] !== 0) {
      this.#freeDirectories.push(directories[next + DIRECTORY]);
      if (bits === this.geometry.regionBits) this.forget(indexOf(hi, lo, bits));
    }
    directories[next + DIRECTORY] = 0;
    directories[next + TABLE] = 0;
    return table;
  }

  /** Gives all back, whatever is mapped. */
  free(): void {
    this.freeBelow(FIRST, this.geometry.startBits);
    this.pool.leave(this.directories[FIRST + TABLE]);
  }

  private freeBelow(at: number, bits: number): void {
    const { directories, pool, geometry } = this;
    const directory = directories[at + DIRECTORY];
    if (directory === 0) return;
    const nrEntries = 2 ** (at === FIRST ? geometry.iasBits - bits : geometry.indexBits);
    for (let i = 0; i < nrEntries; i++) {
      const next = directory + (i << log2Words);
      const table = directories[next + TABLE];
      if (table === 0) continue;
      this.freeBelow(next, bits - geometry.indexBits);
      pool.wordsOf(table).fill(0);
      pool.give(table);
    }
  }

  private forget(region: number): void {
    const recent = RECENT + ((region & (NR_RECENT - 1)) << 1);
    if (this.directories[recent] === region) this.directories[recent] = NONE;
  }

  private takeDirectory(): number {
    const free = this.#freeDirectories.pop();
    if (free !== undefined) return free;
    const directory = this.#nextDirectory;
    this.#nextDirectory += this.#directoryWords;
    if (this.#nextDirectory > this.directories.length) {
      const longer = new Int32Array(Math.max(this.directories.length * 2, this.#nextDirectory));
      longer.set(this.directories);
      this.directories = longer;
    }
    return directory;
  }
}

/** The bits of a 64-bit address from `from` (12 or more) up; those above 32 of them are lost. */
export function indexOf(hi: number, lo: number, from: number): number {
  return from >= 32 ? hi >>> (from - 32) : (lo >>> from) | (hi << (32 - from));
}

/** The high word of a descriptor with an output address, ... */
export function highWordOf(address: number): number {
  return (address * HIGH_WORD_OF) & HIGH_WORD.OutputAddress_47_32.mask;
}

/** ... and the low word: address bits [51:48] are 0 where the granule does not have them. */
export function lowWordOf(address: number): number {
  return address | 0 | ((address * INVERSES[48]) << LOW_WORD.OutputAddress_51_48.lo);
}
