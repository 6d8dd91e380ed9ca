// SPDX-License-Identifier: Apache-2.0
// The levels of a page table. Arm DDI 0487, chapter D8, "Translation granules" and "Concatenated translation tables".

import { LinuxError } from '@irqkit/core';
import {
  entryBits,
  GRANULES,
  isLeafLevel,
  isStage2StartLevel,
  LAST_LEVEL,
  LOG2_MAX_CONCATENATED,
  naturalStartLevel,
} from '../descriptors.js';
import type { Granule } from '../descriptors.js';
import type { PageTableOptions } from './page-table.js';

export interface Geometry {
  readonly pageBits: number;
  readonly indexBits: number;
  readonly iasBits: number;
  readonly oasBits: number;
  readonly startLevel: number;
  /** Address bits below an entry of the first table. */
  readonly startBits: number;
  /** Address bits below what a table of the level before the last resolves, which is called a region. */
  readonly regionBits: number;
  /** Address bits below a leaf, by sizes ascending. */
  readonly leafBits: readonly number[];
  /** Bits [51:48] of addresses stand in bits [15:12] of descriptors. */
  readonly largeAddresses: boolean;
}

const OUTPUT_BITS = [32, 36, 40, 42, 44, 48, 52];
const MIN_INPUT_BITS = 32;

/** @throws LinuxError EINVAL for what the architecture has not */
export function geometryOf(options: PageTableOptions): Geometry {
  const { path, stage, granuleBytes } = options;
  const granule = GRANULES[granuleBytes];
  if (granule === undefined) throw new LinuxError('EINVAL', `${path}: no granule of ${granuleBytes as number} bytes`);
  // UNIMP: 52-bit addresses with granules of 4K and 16K (FEAT_LPA2)
  const iasBits = Math.min(options.iasBits, granule.addressBits);
  const oasBits = Math.min(options.oasBits, granule.addressBits);
  if (!Number.isInteger(iasBits) || iasBits < MIN_INPUT_BITS || !OUTPUT_BITS.includes(oasBits))
    throw new LinuxError(
      'EINVAL',
      `${path}: no translation from ${options.iasBits} to ${options.oasBits} address bits`,
    );
  if (stage === 2 && iasBits > oasBits)
    throw new LinuxError('EINVAL', `${path}: stage 2 from ${iasBits} address bits to ${oasBits}, which are fewer`);
  const startLevel = stage === 1 ? naturalStartLevel(granule, iasBits) : stage2Start(granule, iasBits, oasBits);
  const levels = [LAST_LEVEL, LAST_LEVEL - 1, LAST_LEVEL - 2];
  return {
    pageBits: granule.pageBits,
    indexBits: granule.indexBits,
    iasBits,
    oasBits,
    startLevel,
    startBits: entryBits(granule, startLevel),
    regionBits: entryBits(granule, LAST_LEVEL - 2),
    leafBits: levels
      .filter((level) => level >= startLevel && isLeafLevel(granule, level, oasBits))
      .map((level) => entryBits(granule, level)),
    largeAddresses: granule.addressBits > 48,
  };
}

/**
 * Tables side by side save a level: always where it would be level 0, as Linux has it, and where hardware cannot begin at
 * that level. @linux arm_64_lpae_alloc_pgtable_s2
 */
function stage2Start(granule: Granule, iasBits: number, oasBits: number): number {
  const level = naturalStartLevel(granule, iasBits);
  const resolved = iasBits - entryBits(granule, level);
  const mayBegin = level > 0 && isStage2StartLevel(granule, level, oasBits);
  return !mayBegin && resolved <= LOG2_MAX_CONCATENATED ? level + 1 : level;
}
