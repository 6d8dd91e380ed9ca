// SPDX-License-Identifier: Apache-2.0
// The stream table: flat, or with level 2 tables of 256 entries where devices are. Every entry aborts until a domain is
// attached. IHI 0070, section 3.3.1 "Stream table lookup"; sizes and fill: the behaviour of Linux 6.1.

import { hex } from '@irqkit/bits';
import { LinuxError, DMA_PAGE_BYTES } from '@irqkit/core';
import type { DmaBuffer } from '@irqkit/core';
import { L1STD, STE } from '../layouts.js';
import { STRTAB_BASE, STRTAB_BASE_CFG, STRTAB_FMT } from '../regs.js';
import { ABORT_ENTRY } from './stream-entry.js';
import type { SmmuUnit } from './smmu-unit.js';

/** StreamID bits that a level 2 table resolves. @linux STRTAB_SPLIT */
export const STREAM_TABLE_SPLIT = 8;
/** Bytes of the largest level 1 table. @linux STRTAB_L1_SZ_SHIFT */
const MAX_LEVEL1_BYTES = 2 ** 20;
const STE_WORDS = STE.bytes / 4;
const LEAF_ENTRIES = 2 ** STREAM_TABLE_SPLIT;

type TableUnit = Pick<SmmuUnit, 'path' | 'memory' | 'features' | 'log'>;

export class StreamTable {
  /** STRTAB_BASE and STRTAB_BASE_CFG. */
  readonly base = new Uint32Array(2);
  readonly config: number;
  readonly #unit: TableUnit;
  readonly #nrStreams: number;
  /** The flat table, or that of level 1. */
  readonly #table: DmaBuffer;
  readonly #leaves = new Map<number, DmaBuffer>();

  /** @throws LinuxError ENOMEM @linux arm_smmu_init_strtab */
  constructor(unit: TableUnit) {
    const { path, features, log } = unit;
    this.#unit = unit;
    const maxSidBits = features.twoLevelStreamTable
      ? Math.log2(MAX_LEVEL1_BYTES / L1STD.bytes) + STREAM_TABLE_SPLIT
      : features.sidBits;
    const sidBits = Math.min(features.sidBits, maxSidBits);
    this.#nrStreams = 2 ** sidBits;
    if (sidBits < features.sidBits)
      log.warn(`${path}: the stream table has ${sidBits} of ${features.sidBits} bits of StreamID`);
    let config = STRTAB_BASE_CFG.LOG2SIZE.set(0, sidBits);
    if (features.twoLevelStreamTable) {
      const sizeBytes = (this.#nrStreams / LEAF_ENTRIES) * L1STD.bytes;
      this.#table = allocTable(unit, sizeBytes, 'the level 1 stream table');
      config = STRTAB_BASE_CFG.FMT.set(config, STRTAB_FMT.TWO_LEVEL);
      config = STRTAB_BASE_CFG.SPLIT.set(config, STREAM_TABLE_SPLIT);
    } else {
      this.#table = allocTable(unit, this.#nrStreams * STE.bytes, 'the stream table');
      fill(this.#table, this.#nrStreams);
    }
    this.config = config;
    STRTAB_BASE.ADDR.put(this.base, this.#table.base);
    STRTAB_BASE.RA.put(this.base, 1);
  }

  /**
   * Makes the entries of these StreamIDs, aborting, or changes nothing.
   * @throws LinuxError ERANGE for a StreamID that the table has not, ENOMEM @linux arm_smmu_init_sid_strtab
   */
  cover(sids: readonly number[]): void {
    for (const sid of sids)
      if (sid >= this.#nrStreams)
        throw new LinuxError('ERANGE', `${this.#unit.path}: StreamID ${hex(sid)} is out of range`);
    if (!this.#unit.features.twoLevelStreamTable) return;
    const missing = new Set(sids.map(leafOf).filter((index) => !this.#leaves.has(index)));
    const made: (readonly [number, DmaBuffer])[] = [];
    try {
      for (const index of missing) {
        const what = `the level 2 stream table of StreamID ${hex(index * LEAF_ENTRIES)}`;
        made.push([index, allocTable(this.#unit, LEAF_ENTRIES * STE.bytes, what)]);
      }
    } catch (error) {
      for (const [, leaf] of made) this.#unit.memory.free(leaf);
      throw error;
    }
    for (const [index, leaf] of made) {
      fill(leaf, LEAF_ENTRIES);
      this.#leaves.set(index, leaf);
      const descriptor = this.#table.words.subarray(index * 2, index * 2 + 2);
      L1STD.L2Ptr.put(descriptor, leaf.base);
      L1STD.Span.put(descriptor, STREAM_TABLE_SPLIT + 1);
    }
  }

  /** The words of an entry that is covered. @linux arm_smmu_get_step_for_sid */
  entry(sid: number): Uint32Array {
    const leaf = this.#leaves.get(leafOf(sid));
    const { words } = leaf ?? this.#table;
    const at = (leaf ? sid % LEAF_ENTRIES : sid) * STE_WORDS;
    return words.subarray(at, at + STE_WORDS);
  }
}

function leafOf(sid: number): number {
  return Math.floor(sid / LEAF_ENTRIES);
}

/** At a multiple of its size, as STRTAB_BASE and L2Ptr want it. */
function allocTable({ memory }: TableUnit, sizeBytes: number, what: string): DmaBuffer {
  return memory.alloc(sizeBytes, Math.max(sizeBytes, DMA_PAGE_BYTES), what);
}

function fill(table: DmaBuffer, nrEntries: number): void {
  for (let n = 0; n < nrEntries; n++) table.words.set(ABORT_ENTRY.words, n * STE_WORDS);
}
