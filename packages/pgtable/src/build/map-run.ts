// SPDX-License-Identifier: Apache-2.0
// Maps runs: looks at all of a run, reserves the tables that are missing, and only then writes, so that nothing fails halfway.

import { hex } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import { alignedTo, HIGH_WORD_OF, INVERSES, LOW_WORD, OF_HIGH_WORD, POWERS } from '../descriptors.js';
import { DIRECTORY_ENTRY, highWordOf, lowWordOf } from './table-tree.js';
import type { TableTree } from './table-tree.js';

const VALID = LOW_WORD.Valid.mask;
const { NR_VALID } = DIRECTORY_ENTRY;

/**
 * Maps `count` leaves of 2^bits bytes from `iova` to `pa`; the arguments are checked. `leafLo` and `leafHi`: what is in every
 * leaf beside its address.
 * @throws LinuxError EEXIST, ENOMEM, with nothing mapped
 */
export function mapRun(
  tree: TableTree,
  iova: number,
  pa: number,
  bits: number,
  count: number,
  leafLo: number,
  leafHi: number,
): void {
  const leafBytes = POWERS[bits];
  const end = iova + count * leafBytes;
  tree.pool.reserve(tablesMissing(tree, iova, end, bits));
  for (let at = iova; at < end;) {
    const hi = (at * HIGH_WORD_OF) | 0;
    const lo = at | 0;
    const table = tree.tableFor(hi, lo, bits);
    const word = tree.wordIndex(table, hi, lo, bits);
    const nr = Math.min(tree.leavesInTable(hi, lo, bits), (end - at) / leafBytes) | 0;
    fill(tree.words(table), word, nr, pa + (at - iova), bits, leafLo, leafHi);
    tree.directories[table + NR_VALID] += nr;
    at += nr * leafBytes;
  }
}

/** How many tables a run needs beside those that are there. @throws LinuxError EEXIST */
function tablesMissing(tree: TableTree, iova: number, end: number, bits: number): number {
  let nr = 0;
  for (let at = iova; at < end;) {
    const hi = (at * HIGH_WORD_OF) | 0;
    const lo = at | 0;
    const deepest = tree.deepest(hi, lo, bits);
    const table = tree.path[tree.levelOf(deepest)];
    const span = POWERS[deepest];
    const next = Math.min(
      end,
      deepest === bits ? at + tree.leavesInTable(hi, lo, bits) * span : alignedTo(deepest, at) + span,
    );
    const word = tree.wordIndex(table, hi, lo, deepest);
    const nrEntries = deepest === bits ? (next - at) / span : 1;
    if (anyValid(tree.words(table), word, nrEntries))
      throw new LinuxError('EEXIST', `${tree.pool.path}: something is mapped in ${hex(at)} to ${hex(next - 1)}`);
    for (let above = deepest; above > bits; above -= tree.geometry.indexBits)
      nr += Math.floor((next - 1) * INVERSES[above]) - Math.floor(at * INVERSES[above]) + 1;
    at = next;
  }
  return nr;
}

function anyValid(words: Int32Array, from: number, nrEntries: number): boolean {
  const end = (from + nrEntries * 2) | 0;
  let any = 0;
  let i = from;
  for (const last = end - 6; i < last; i += 8) any |= words[i] | words[i + 2] | words[i + 4] | words[i + 6];
  for (; i < end; i += 2) any |= words[i];
  return (any & VALID) !== 0;
}

/** Writes `nr` leaves. Within 4 GiB of output addresses the high words are all the same. */
function fill(
  words: Int32Array,
  from: number,
  nr: number,
  pa: number,
  bits: number,
  leafLo: number,
  leafHi: number,
): void {
  const step = POWERS[bits];
  for (let done = 0; done < nr;) {
    const first = pa + done * step;
    const nrSame =
      Math.min(nr - done, Math.max(Math.floor((alignedTo(32, first) + OF_HIGH_WORD - first) * INVERSES[bits]), 1)) | 0;
    const start = from + done * 2;
    fillSame(words, start, start + nrSame * 2, lowWordOf(first) | leafLo, highWordOf(first) | leafHi, step | 0);
    done += nrSame;
  }
}

function fillSame(words: Int32Array, from: number, end: number, lo: number, hi: number, step: number): void {
  // V8 computes in doubles what it does not see to be integers.
  const by1 = step | 0;
  const by2 = by1 << 1;
  const leafHi = hi | 0;
  let leafLo = lo | 0;
  let i = from | 0;
  for (const last = (end | 0) - 6; i < last; i += 8) {
    words[i + 1] = leafHi;
    words[i] = leafLo;
    words[i + 3] = leafHi;
    words[i + 2] = (leafLo + by1) | 0;
    leafLo = (leafLo + by2) | 0;
    words[i + 5] = leafHi;
    words[i + 4] = leafLo;
    words[i + 7] = leafHi;
    words[i + 6] = (leafLo + by1) | 0;
    leafLo = (leafLo + by2) | 0;
  }
  for (; i < end; i += 2) {
    words[i + 1] = leafHi;
    words[i] = leafLo;
    leafLo = (leafLo + by1) | 0;
  }
}
