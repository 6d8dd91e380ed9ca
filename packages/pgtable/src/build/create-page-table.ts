// SPDX-License-Identifier: Apache-2.0
// Page tables as drivers use them: arguments checked, single pages by the short way, runs by the general one.

import { hex } from '@irqkit/bits';
import { IOMMU_PROT, LinuxError } from '@irqkit/core';
import type { Iova, PhysAddr } from '@irqkit/core';
import { alignedTo, ENTRY, HIGH_WORD, HIGH_WORD_OF, LOW_WORD, OF_HIGH_WORD, POWERS } from '../descriptors.js';
import { geometryOf } from './geometry.js';
import type { Geometry } from './geometry.js';
import { leafAttributes, NR_PROTS } from './leaf-attributes.js';
import { mapRun } from './map-run.js';
import type { PageTable, PageTableOptions } from './page-table.js';
import { pagesOf } from './pages.js';
import { registersOf } from './registers.js';
import { TablePool } from './table-pool.js';
import { TableTree } from './table-tree.js';
import { unmapRun } from './unmap-run.js';
import type { Dropped } from './unmap-run.js';

// What is imported V8 loads at each use: constants of the hot path are the module's own.
const TO_HIGH = HIGH_WORD_OF;
const HIGH = OF_HIGH_WORD;
const READ_OR_WRITE = IOMMU_PROT.READ | IOMMU_PROT.WRITE;
const PROT_MASK = NR_PROTS - 1;
const PAGE = ENTRY.TABLE_OR_PAGE;
const OUTPUT_47_32 = HIGH_WORD.OutputAddress_47_32.mask;
const OUTPUT_51_48 = LOW_WORD.OutputAddress_51_48.lo;

/**
 * An empty page table.
 * @throws LinuxError EINVAL for a geometry that the architecture has not, or a pool of other tables; ENOMEM
 * @linux alloc_io_pgtable_ops
 */
export function createPageTable(options: PageTableOptions): PageTable {
  const { path, stage, granuleBytes, flushWalk } = options;
  const geometry = geometryOf(options);
  const pool = poolOf(options, geometry);
  const tree = new TableTree(geometry, pool);
  const pages = pagesOf(tree);
  const attributes = leafAttributes(stage);
  const { iasBits, oasBits, pageBits } = geometry;
  const inputEnd = 2 ** iasBits;
  const outputEnd = 2 ** oasBits;
  const offsetMask = granuleBytes - 1;
  const pageSizes = geometry.leafBits.map((bits) => 2 ** bits);

  const refuse = (why: string): never => {
    throw new LinuxError('EINVAL', `${path}: ${why}`);
  };

  const fail = (iova: Iova): never => {
    throw new LinuxError('EEXIST', `${path}: something is mapped at ${hex(iova)}`);
  };

  const checkSize = (pageBytes: number, count: number): void => {
    if (!pageSizes.includes(pageBytes)) refuse(`no page has ${pageBytes} bytes`);
    if (!Number.isInteger(count) || count < 0) refuse(`${count} is no number of pages`);
  };

  const checkAligned = (address: number, pageBytes: number): void => {
    if (!(address >= 0) || address % pageBytes !== 0) refuse(`${hex(address)} is no multiple of ${hex(pageBytes)}`);
  };

  const checkMapping = (iova: Iova, pa: PhysAddr, pageBytes: number, count: number, prot: number): void => {
    checkSize(pageBytes, count);
    checkAligned(iova, pageBytes);
    checkAligned(pa, pageBytes);
    if ((prot & READ_OR_WRITE) === 0) refuse(`protection ${prot} lets neither reads nor writes through`);
    const sizeBytes = count * pageBytes;
    if (iova + sizeBytes <= inputEnd && pa + sizeBytes <= outputEnd) return;
    const range = `${hex(sizeBytes)} bytes from ${hex(iova)} to ${hex(pa)}`;
    throw new LinuxError('ERANGE', `${path}: ${range} are beyond ${iasBits} or ${oasBits} address bits`);
  };

  const mapAny = (iova: Iova, pa: PhysAddr, pageBytes: number, count: number, prot: number): void => {
    checkMapping(iova, pa, pageBytes, count, prot);
    const leafLo = attributes[(prot & PROT_MASK) << 1] | (pageBytes === granuleBytes ? PAGE : ENTRY.BLOCK);
    mapRun(tree, iova, pa, Math.log2(pageBytes), count, leafLo, attributes[((prot & PROT_MASK) << 1) + 1]);
  };

  const unmapAny = (iova: Iova, pageBytes: number, count: number): number => {
    checkSize(pageBytes, count);
    checkAligned(iova, pageBytes);
    const end = Math.min(iova + count * pageBytes, inputEnd);
    if (iova >= end) return 0;
    const dropped: Dropped = { tables: [], first: Infinity, last: -1 };
    const unmapped = unmapRun(tree, iova, end, dropped);
    if (dropped.tables.length > 0) {
      flushWalk(dropped.first as Iova, dropped.last - dropped.first + 1, granuleBytes);
      for (const table of dropped.tables) pool.give(table);
    }
    return unmapped;
  };

  const blockToPhys = (hi: number, lo: number): PhysAddr | undefined => {
    const bits = tree.deepest(hi, lo, pageBits);
    const table = tree.path[tree.levelOf(bits)];
    const words = tree.words(table);
    const word = tree.wordIndex(table, hi, lo, bits);
    if (LOW_WORD.Valid(words[word]) === 0) return undefined;
    const leaf = HIGH_WORD.OutputAddress_47_32(words[word + 1]) * HIGH + (words[word] >>> 0);
    const large = geometry.largeAddresses ? LOW_WORD.OutputAddress_51_48(words[word]) * POWERS[48] : 0;
    const address = hi * HIGH + (lo >>> 0);
    return (large + alignedTo(bits, leaf) + address - alignedTo(bits, address)) as PhysAddr;
  };

  return {
    iasBits,
    oasBits,
    pageSizes,
    registers: registersOf(stage, geometry, tree.base, options.coherentWalk ?? true),

    mapPages: (iova, pa, pageBytes, count, prot) => {
      const hi = (iova * TO_HIGH) | 0;
      const lo = iova | 0;
      const paHi = (pa * TO_HIGH) | 0;
      const paLo = pa | 0;
      const isPage = pageBytes === granuleBytes && count === 1 && ((lo | paLo) & offsetMask) === 0;
      const areInside = isBelow(iova, hi, lo, inputEnd) && isBelow(pa, paHi, paLo, outputEnd);
      if (!isPage || !areInside || (prot & READ_OR_WRITE) === 0) return mapAny(iova, pa, pageBytes, count, prot);
      const attribute = (prot & PROT_MASK) << 1;
      const leafLo = paLo | ((paHi >>> 16) << OUTPUT_51_48) | attributes[attribute] | PAGE;
      if (!pages.map(hi, lo, leafLo, (paHi & OUTPUT_47_32) | attributes[attribute + 1])) fail(iova);
    },

    unmapPages: (iova, pageBytes, count) => {
      const hi = (iova * TO_HIGH) | 0;
      const lo = iova | 0;
      const isPage = pageBytes === granuleBytes && count === 1 && (lo & offsetMask) === 0;
      if (isPage && isBelow(iova, hi, lo, inputEnd) && pages.unmap(hi, lo)) return pageBytes;
      return unmapAny(iova, pageBytes, count);
    },

    iovaToPhys: (iova) => {
      const hi = (iova * TO_HIGH) | 0;
      const lo = iova | 0;
      if (!isBelow(iova, hi, lo, inputEnd)) return undefined;
      const pa = pages.toPhys(hi, lo);
      return pa < 0 ? blockToPhys(hi, lo) : (pa as PhysAddr);
    },

    free: () => tree.free(),
  };
}

/** True for integers from 0 to below `end` whose two halves are given. */
function isBelow(address: number, hi: number, lo: number, end: number): boolean {
  return address < end && hi * HIGH + (lo >>> 0) === address && hi >= 0;
}

function poolOf({ path, memory, granuleBytes }: PageTableOptions, { oasBits }: Geometry): TablePool {
  if (!(memory instanceof TablePool))
    return new TablePool({ path, memory, tableBytes: granuleBytes, addressBits: oasBits });
  if (memory.tableBytes === granuleBytes && memory.addressBits <= oasBits) return memory;
  const has = `${memory.tableBytes} bytes with ${memory.addressBits} address bits`;
  throw new LinuxError('EINVAL', `${path}: a pool for tables of ${has}, not of ${granuleBytes} with ${oasBits}`);
}
