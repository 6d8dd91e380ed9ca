// SPDX-License-Identifier: Apache-2.0
// Single pages, the short way: from a directory that was looked for lately to the entry. Closures over what does not change,
// which V8 runs some times faster than a class with fields. Addresses are (hi, lo) 32-bit integers.

import { HIGH_WORD, LOW_WORD, OF_HIGH_WORD } from '../descriptors.js';
import { DIRECTORY_ENTRY, NONE as NO_TABLE } from './table-tree.js';
import type { TableTree } from './table-tree.js';

export interface Pages {
  /** Writes an entry; false where something is mapped. @throws LinuxError ENOMEM */
  readonly map: (hi: number, lo: number, leafLo: number, leafHi: number) => boolean;
  /** Clears an entry; false where it takes more: nothing is mapped, a block is, or the table would be empty. */
  readonly unmap: (hi: number, lo: number) => boolean;
  /** The output address; negative where no page is mapped, though a block may be. */
  readonly toPhys: (hi: number, lo: number) => number;
}

// What is imported or exported V8 loads at each use: constants of the hot path are the module's own.
const VALID = LOW_WORD.Valid.mask;
const OUTPUT_47_32 = HIGH_WORD.OutputAddress_47_32.mask;
const HIGH = OF_HIGH_WORD;
const TOP = 2 ** 48;
const NONE = NO_TABLE;
const { TABLE, NR_VALID, log2Words } = DIRECTORY_ENTRY;

const NR_RECENT = 16;

export function pagesOf(tree: TableTree): Pages {
  const { indexMask } = tree;
  const { pageBits, indexBits, largeAddresses } = tree.geometry;
  const { chunkWords, log2ChunkWords } = tree.pool;
  const chunkMask = 2 ** log2ChunkWords - 1;
  const offsetMask = 2 ** pageBits - 1;
  const tableBits = pageBits + indexBits;
  const directoryBits = tableBits + indexBits;
  /** Directories of last-level tables that were looked for lately, by the address bits above them. */
  const tags = new Int32Array(NR_RECENT).fill(NONE);
  const directoryOf = new Int32Array(NR_RECENT);
  let nrForgotten = 0;

  const lookFor = (hi: number, lo: number, tag: number): number => {
    const directory = tree.lastDirectory(hi, lo);
    tags[tag & (NR_RECENT - 1)] = directory === NONE ? NONE : tag;
    return (directoryOf[tag & (NR_RECENT - 1)] = directory);
  };

  /** Where the directory entry of the last-level table for an address is; NONE where no directory leads there. */
  const lastTable = (hi: number, lo: number): number => {
    if (nrForgotten !== tree.nrForgotten) {
      ({ nrForgotten } = tree);
      tags.fill(NONE);
    }
    const tag = bitsFrom(hi, lo, directoryBits);
    const slot = tag & (NR_RECENT - 1);
    const directory = tags[slot] === tag ? directoryOf[slot] : lookFor(hi, lo, tag);
    return directory === NONE ? NONE : directory + ((bitsFrom(hi, lo, tableBits) & indexMask) << log2Words);
  };

  const map = (hi: number, lo: number, leafLo: number, leafHi: number): boolean => {
    let at = lastTable(hi, lo);
    if (at === NONE || tree.directories[at + TABLE] === 0) at = tree.tableFor(hi, lo, pageBits);
    if (at === NONE) return false;
    const { directories } = tree;
    const table = directories[at + TABLE];
    const words = chunkWords[table >>> log2ChunkWords];
    const word = (table & chunkMask) + ((bitsFrom(hi, lo, pageBits) & indexMask) << 1);
    if ((words[word] & VALID) !== 0) return false;
    words[word + 1] = leafHi;
    words[word] = leafLo;
    directories[at + NR_VALID]++;
    return true;
  };

  const unmap = (hi: number, lo: number): boolean => {
    const at = lastTable(hi, lo);
    if (at === NONE) return false;
    const { directories } = tree;
    const nrLeft = directories[at + NR_VALID] - 1;
    if (nrLeft <= 0) return false;
    const table = directories[at + TABLE];
    const words = chunkWords[table >>> log2ChunkWords];
    const word = (table & chunkMask) + ((bitsFrom(hi, lo, pageBits) & indexMask) << 1);
    if ((words[word] & VALID) === 0) return false;
    words[word] = 0;
    words[word + 1] = 0;
    directories[at + NR_VALID] = nrLeft;
    return true;
  };

  const toPhys = (hi: number, lo: number): number => {
    const at = lastTable(hi, lo);
    const table = at === NONE ? 0 : tree.directories[at + TABLE];
    if (table === 0) return NONE;
    const words = chunkWords[table >>> log2ChunkWords];
    const word = (table & chunkMask) + ((bitsFrom(hi, lo, pageBits) & indexMask) << 1);
    const leaf = words[word];
    if ((leaf & VALID) === 0) return NONE;
    const output = (words[word + 1] & OUTPUT_47_32) * HIGH + (((leaf & ~offsetMask) | (lo & offsetMask)) >>> 0);
    return largeAddresses ? LOW_WORD.OutputAddress_51_48(leaf) * TOP + output : output;
  };

  return { map, unmap, toPhys };
}

/** The bits of a 64-bit address from `from` up, 12 to 43, as far as they go into 32. */
function bitsFrom(hi: number, lo: number, from: number): number {
  return from >= 32 ? hi >>> (from - 32) : (lo >>> from) | (hi << (32 - from));
}
