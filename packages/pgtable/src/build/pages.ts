// SPDX-License-Identifier: Apache-2.0
// Single pages of the 4K granule, the short way: from a directory that was recalled lately to the leaf. What needs more is left to the
// general way, which every other size takes. Addresses are (hi, lo) 32-bit integers. The less code there is between two leaves,
// the more of their cache misses overlap: therefore the granule is not a parameter.

import { GRANULES, HIGH_WORD, LOW_WORD, OF_HIGH_WORD } from '../descriptors.js';
import { DIRECTORY_ENTRY, NONE as NO_PLACE, PLACES } from './table-tree.js';
import type { TableTree } from './table-tree.js';

// What is imported or exported V8 loads at each use: constants of the hot path are the module's own.
const VALID = LOW_WORD.Valid.mask;
const OUTPUT_47_32 = HIGH_WORD.OutputAddress_47_32.mask;
const HIGH = OF_HIGH_WORD;
const { TABLE, NR_VALID, log2Words } = DIRECTORY_ENTRY;
const { NOWHERE, RECENT } = PLACES;
const RECENT_MASK = PLACES.NR_RECENT - 1;

/** The granule of the tables that have a short way. */
export const SHORT_WAY_BYTES = 0x1000;
const { pageBits: PAGE_BITS, indexBits: INDEX_BITS } = GRANULES[SHORT_WAY_BYTES]!;
const OFFSET_MASK = SHORT_WAY_BYTES - 1;
const INDEX_MASK = 2 ** INDEX_BITS - 1;
const TABLE_BITS = PAGE_BITS + INDEX_BITS;
const ABOVE_TABLE_BITS = 32 - TABLE_BITS;
const REGION_BITS = TABLE_BITS + INDEX_BITS;
const ABOVE_REGION_BITS = 32 - REGION_BITS;

export class Pages {
  private readonly tree: TableTree;
  private readonly chunkWords: Int32Array[] = [];
  // With a value from the start V8 knows that these are small integers.
  private readonly log2ChunkWords: number = 0;
  private readonly chunkMask: number = 0;

  constructor(tree: TableTree) {
    this.tree = tree;
    this.chunkWords = tree.pool.chunkWords;
    this.log2ChunkWords = tree.pool.log2ChunkWords;
    this.chunkMask = 2 ** tree.pool.log2ChunkWords - 1;
  }

  /** Writes a leaf; false, with nothing done, where something is mapped or beyond the input size. @throws LinuxError ENOMEM */
  map(hi: number, lo: number, leafLo: number, leafHi: number): boolean {
    const { directories } = this.tree;
    const at = this.entryOf(directories, hi, lo);
    const table = directories[at + TABLE];
    if (table === 0) return this.mapFirst(hi, lo, leafLo, leafHi);
    const words = this.chunkWords[table >>> this.log2ChunkWords];
    const word = (table & this.chunkMask) + (((lo >>> PAGE_BITS) & INDEX_MASK) << 1);
    if ((words[word] & VALID) !== 0) return false;
    words[word + 1] = leafHi;
    words[word] = leafLo;
    directories[at + NR_VALID]++;
    return true;
  }

  /** Clears a leaf; false, with nothing done, where no page is mapped or the table would be empty. */
  unmap(hi: number, lo: number): boolean {
    const { directories } = this.tree;
    const at = this.entryOf(directories, hi, lo);
    const nrLeft = directories[at + NR_VALID] - 1;
    if (nrLeft <= 0) return false;
    const table = directories[at + TABLE];
    const words = this.chunkWords[table >>> this.log2ChunkWords];
    const word = (table & this.chunkMask) + (((lo >>> PAGE_BITS) & INDEX_MASK) << 1);
    if ((words[word] & VALID) === 0) return false;
    words[word] = 0;
    words[word + 1] = 0;
    directories[at + NR_VALID] = nrLeft;
    return true;
  }

  /** The output address; negative where no page is mapped, though a block may be. */
  toPhys(hi: number, lo: number): number {
    const { directories } = this.tree;
    const table = directories[this.entryOf(directories, hi, lo) + TABLE];
    if (table === 0) return -1;
    const words = this.chunkWords[table >>> this.log2ChunkWords];
    const word = (table & this.chunkMask) + (((lo >>> PAGE_BITS) & INDEX_MASK) << 1);
    const leaf = words[word];
    if ((leaf & VALID) === 0) return -1;
    return (words[word + 1] & OUTPUT_47_32) * HIGH + (((leaf & ~OFFSET_MASK) | (lo & OFFSET_MASK)) >>> 0);
  }

  /** The same where the last-level table is missing. */
  private mapFirst(hi: number, lo: number, leafLo: number, leafHi: number): boolean {
    const { tree } = this;
    const at = tree.hasInput(hi) ? tree.tableFor(hi, lo, PAGE_BITS) : NO_PLACE;
    if (at === NO_PLACE) return false;
    const words = tree.words(at);
    const word = tree.wordIndex(at, hi, lo, PAGE_BITS);
    words[word + 1] = leafHi;
    words[word] = leafLo;
    tree.directories[at + NR_VALID]++;
    return true;
  }

  /** Where the directory entry of the last-level table for an address is; that of no table where no directory leads there. */
  private entryOf(directories: Int32Array, hi: number, lo: number): number {
    const region = (lo >>> REGION_BITS) | (hi << ABOVE_REGION_BITS);
    const recent = RECENT + ((region & RECENT_MASK) << 1);
    if (directories[recent] !== region && !this.tree.recall(hi, lo)) return NOWHERE;
    return directories[recent + 1] + ((((lo >>> TABLE_BITS) | (hi << ABOVE_TABLE_BITS)) & INDEX_MASK) << log2Words);
  }
}
