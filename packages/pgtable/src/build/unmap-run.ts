// SPDX-License-Identifier: Apache-2.0
// Unmaps runs: leaf by leaf of whatever size, a table's worth at a time. Blocks of which a part stays are split, and tables
// that are empty go.

import {
  alignedTo,
  ENTRY,
  entryBits,
  HIGH_WORD_OF,
  LAST_LEVEL,
  LOW_WORD,
  OF_HIGH_WORD,
  POWERS,
} from '../descriptors.js';
import { DIRECTORY_ENTRY, PLACES, highWordOf, lowWordOf } from './table-tree.js';
import type { TableTree } from './table-tree.js';

const VALID = LOW_WORD.Valid.mask;
const TYPE = LOW_WORD.ValidAndType.mask;
const { NR_VALID, NR_TABLES } = DIRECTORY_ENTRY;
const { FIRST } = PLACES;

/** Tables that hardware may still know: their memory is given back after it was told to forget them. */
export interface Dropped {
  readonly tables: number[];
  /** The addresses that they translated, the last one inside. */
  first: number;
  last: number;
}

/**
 * Unmaps from `iova` to the first address that is not mapped, before `end`; the arguments are checked. Tables that are empty
 * after it are added to `dropped`.
 * @returns the bytes unmapped
 * @throws LinuxError ENOMEM where a split has no table, with nothing unmapped
 */
export function unmapRun(tree: TableTree, iova: number, end: number, dropped: Dropped): number {
  const nrSplits = splitsNeeded(tree, iova, end);
  if (nrSplits > 0) tree.pool.reserve(nrSplits);
  let at = iova;
  while (at < end) {
    const hi = (at * HIGH_WORD_OF) | 0;
    const lo = at | 0;
    const bits = tree.deepest(hi, lo, 0);
    const table = tree.path[tree.levelOf(bits)];
    const words = tree.words(table);
    const word = tree.wordIndex(table, hi, lo, bits);
    if ((words[word] & VALID) === 0) break;
    const span = POWERS[bits];
    if (alignedTo(bits, at) !== at || at + span > end) {
      split(tree, table, hi, lo, bits);
      continue;
    }
    const most = Math.min(tree.leavesInTable(hi, lo, bits), (end - at) / span) | 0;
    const leaf = bits === tree.geometry.pageBits ? ENTRY.TABLE_OR_PAGE : ENTRY.BLOCK;
    const nr = isAllLeaves(tree, table) ? most : nrLeaves(words, word, most, leaf);
    words.fill(0, word, word + nr * 2);
    tree.directories[table + NR_VALID] -= nr;
    dropEmpty(tree, hi, lo, bits, dropped);
    at += nr * span;
  }
  return at - iova;
}

/** Unmaps one page whose table may be empty after it; false, with nothing done, where no page is mapped. */
export function unmapPage(tree: TableTree, hi: number, lo: number, dropped: Dropped): boolean {
  const { pageBits } = tree.geometry;
  if (!tree.hasInput(hi) || tree.deepest(hi, lo, pageBits) !== pageBits) return false;
  const table = tree.path[LAST_LEVEL];
  const words = tree.words(table);
  const word = tree.wordIndex(table, hi, lo, pageBits);
  if ((words[word] & VALID) === 0) return false;
  words[word] = 0;
  words[word + 1] = 0;
  tree.directories[table + NR_VALID]--;
  dropEmpty(tree, hi, lo, pageBits, dropped);
  return true;
}

/** True where every entry of a table is a leaf. */
function isAllLeaves({ directories, indexMask }: TableTree, table: number): boolean {
  return table !== FIRST && directories[table + NR_VALID] - directories[table + NR_TABLES] > indexMask;
}

/** How many leaves in a row there are. */
function nrLeaves(words: Int32Array, from: number, most: number, leaf: number): number {
  const end = (from + most * 2) | 0;
  let other = 0;
  let i = from;
  for (const last = end - 6; i < last; i += 8)
    other |= (words[i] ^ leaf) | (words[i + 2] ^ leaf) | (words[i + 4] ^ leaf) | (words[i + 6] ^ leaf);
  for (; i < end; i += 2) other |= words[i] ^ leaf;
  if ((other & TYPE) === 0) return most;
  i = from;
  while ((words[i] & TYPE) === leaf) i += 2;
  return (i - from) >> 1;
}

/** Drops the table that `deepest` ended in, where it is empty, and those above it that are empty then. */
function dropEmpty(tree: TableTree, hi: number, lo: number, bits: number, dropped: Dropped): void {
  const { path, directories, geometry } = tree;
  let level = tree.levelOf(bits);
  for (let at = path[level]; at !== FIRST && directories[at + NR_VALID] === 0; at = path[level]) {
    level--;
    const above = entryBits(geometry, level);
    dropped.tables.push(tree.unlink(path[level], at, hi, lo, above));
    const first = alignedTo(above, hi * OF_HIGH_WORD + (lo >>> 0));
    dropped.first = Math.min(dropped.first, first);
    dropped.last = Math.max(dropped.last, first + POWERS[above] - 1);
  }
}

/** How many tables it takes so that leaves begin and end where the range does. */
function splitsNeeded(tree: TableTree, iova: number, end: number): number {
  const last = end - POWERS[tree.geometry.pageBits];
  return splitsAt(tree, iova, iova, end, NaN) + (last === iova ? 0 : splitsAt(tree, last, iova, end, iova));
}

/** The same for the leaf at `at`; leaves in which `counted` is, too, do not count. */
function splitsAt(tree: TableTree, at: number, iova: number, end: number, counted: number): number {
  const hi = (at * HIGH_WORD_OF) | 0;
  const lo = at | 0;
  let bits = tree.deepest(hi, lo, 0);
  if ((tree.low(tree.path[tree.levelOf(bits)], hi, lo, bits) & VALID) === 0) return 0;
  let nr = 0;
  for (; ; bits -= tree.geometry.indexBits) {
    const span = POWERS[bits];
    const first = alignedTo(bits, at);
    if (first >= iova && first + span <= end) return nr;
    if (first !== alignedTo(bits, counted)) nr++;
  }
}

/** Puts a table with leaves of the next size in the place of a block; it maps what the block did. */
function split(tree: TableTree, at: number, hi: number, lo: number, bits: number): void {
  const { pool, geometry } = tree;
  const words = tree.words(at);
  const word = tree.wordIndex(at, hi, lo, bits);
  const blockLo = words[word];
  const blockHi = words[word + 1];
  const table = pool.take();
  const leaves = pool.wordsOf(table);
  const leafBits = bits - geometry.indexBits;
  const type = leafBits === geometry.pageBits ? ENTRY.TABLE_OR_PAGE : ENTRY.BLOCK;
  for (let i = 0; i < leaves.length; i += 2) {
    const offset = (i / 2) * POWERS[leafBits];
    leaves[i] = blockLo | type | lowWordOf(offset);
    leaves[i + 1] = blockHi | highWordOf(offset);
  }
  const next = tree.entry(at, hi, lo, bits);
  tree.link(at, next, hi, lo, bits, table);
  tree.directories[next + NR_VALID] = leaves.length / 2;
}
