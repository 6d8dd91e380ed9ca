// SPDX-License-Identifier: Apache-2.0
// Page tables as drivers use them: arguments checked, single pages by the short way, runs by the general one.

import { hex } from '@irqkit/bits';
import { IOMMU_PROT, LinuxError } from '@irqkit/core';
import type { Iova, PhysAddr } from '@irqkit/core';
import { alignedTo, ENTRY, GRANULES, HIGH_WORD, HIGH_WORD_OF, LOW_WORD, OF_HIGH_WORD, POWERS } from '../descriptors.js';
import { geometryOf } from './geometry.js';
import type { Geometry } from './geometry.js';
import { leafAttributes, NR_PROTS } from './leaf-attributes.js';
import { mapRun } from './map-run.js';
import type { PageTable, PageTableOptions, Stage1Registers, Stage2Registers } from './page-table.js';
import { Pages, SHORT_WAY_BYTES } from './pages.js';
import { registersOf } from './registers.js';
import { TablePool } from './table-pool.js';
import { TableTree } from './table-tree.js';
import { unmapPage, unmapRun } from './unmap-run.js';
import type { Dropped } from './unmap-run.js';

/**
 * An empty page table.
 * @throws LinuxError EINVAL for a geometry that the architecture has not, or a pool of other tables; ENOMEM
 * @linux alloc_io_pgtable_ops
 */
export function createPageTable(options: PageTableOptions): PageTable {
  return new ArmPageTable(options);
}

// What is imported V8 loads at each use: constants of the hot path are the module's own.
const TO_HIGH = HIGH_WORD_OF;
const HIGH = OF_HIGH_WORD;
const READ_OR_WRITE = IOMMU_PROT.READ | IOMMU_PROT.WRITE;
const PROT_MASK = NR_PROTS - 1;
const PAGE = ENTRY.TABLE_OR_PAGE;
const OUTPUT_47_32 = HIGH_WORD.OutputAddress_47_32.mask;
const OFFSET_MASK = SHORT_WAY_BYTES - 1;
/** More have no table with a short way; where it has less, no directory leads there. */
const SHORT_WAY_HIGH_BITS = GRANULES[SHORT_WAY_BYTES]!.addressBits - 32;
const SHORT_WAY_END = 2 ** GRANULES[SHORT_WAY_BYTES]!.addressBits;

/** Its methods are the same for all page tables, which closures made for each are not: V8 puts them into their callers. */
class ArmPageTable implements PageTable {
  readonly iasBits: number = 0;
  readonly oasBits: number = 0;
  readonly pageSizes: readonly number[];
  readonly registers: Stage1Registers | Stage2Registers;
  private readonly path: string;
  private readonly flushWalk: PageTableOptions['flushWalk'];
  private readonly geometry: Geometry;
  private readonly tree: TableTree;
  private readonly pages: Pages;
  private readonly dropped: Dropped = { tables: [], first: Infinity, last: -1 };
  private readonly attributes: Int32Array = new Int32Array(0);
  private readonly granuleBytes: number = 0;
  /** The size of pages that take the short way; 0 where there is none. */
  private readonly shortWayBytes: number = 0;
  private readonly outputHighBits: number = 0;
  private readonly inputEnd: number;
  private readonly outputEnd: number;

  constructor(options: PageTableOptions) {
    const { path, stage, granuleBytes, flushWalk } = options;
    this.geometry = geometryOf(options);
    const { iasBits, oasBits, leafBits } = this.geometry;
    this.tree = new TableTree(this.geometry, poolOf(options, this.geometry));
    this.path = path;
    this.flushWalk = flushWalk;
    this.iasBits = iasBits;
    this.oasBits = oasBits;
    this.pageSizes = leafBits.map((bits) => 2 ** bits);
    this.registers = registersOf(stage, this.geometry, this.tree.base, options.coherentWalk ?? true);
    this.pages = new Pages(this.tree);
    this.attributes = leafAttributes(stage);
    this.granuleBytes = granuleBytes;
    this.shortWayBytes = granuleBytes === SHORT_WAY_BYTES ? granuleBytes : 0;
    this.outputHighBits = oasBits - 32;
    this.inputEnd = 2 ** iasBits;
    this.outputEnd = 2 ** oasBits;
  }

  mapPages(iova: Iova, pa: PhysAddr, pageBytes: number, count: number, prot: number): void {
    const hi = (iova * TO_HIGH) | 0;
    const lo = iova | 0;
    const paHi = (pa * TO_HIGH) | 0;
    const paLo = pa | 0;
    const isPage = pageBytes === this.shortWayBytes && count === 1 && ((lo | paLo) & OFFSET_MASK) === 0;
    const areIntegers = hi * HIGH + (lo >>> 0) === iova && paHi * HIGH + (paLo >>> 0) === pa;
    const areInside = ((hi >>> SHORT_WAY_HIGH_BITS) | (paHi >>> this.outputHighBits)) === 0;
    if (isPage && areIntegers && areInside && (prot & READ_OR_WRITE) !== 0) {
      const attribute = (prot & PROT_MASK) << 1;
      const leafLo = paLo | this.attributes[attribute] | PAGE;
      if (this.pages.map(hi, lo, leafLo, (paHi & OUTPUT_47_32) | this.attributes[attribute + 1])) return;
    }
    this.mapAny(iova, pa, pageBytes, count, prot);
  }

  unmapPages(iova: Iova, pageBytes: number, count: number): number {
    const hi = (iova * TO_HIGH) | 0;
    const lo = iova | 0;
    const isPage = pageBytes === this.shortWayBytes && count === 1 && (lo & OFFSET_MASK) === 0;
    const isInside = hi * HIGH + (lo >>> 0) === iova && hi >>> SHORT_WAY_HIGH_BITS === 0;
    if (isPage && isInside && (this.pages.unmap(hi, lo) || this.unmapLast(hi, lo))) return pageBytes;
    return this.unmapAny(iova, pageBytes, count);
  }

  iovaToPhys(iova: Iova): PhysAddr | undefined {
    const isShort = this.shortWayBytes > 0 && iova >= 0 && iova < SHORT_WAY_END;
    const pa = isShort ? this.pages.toPhys((iova * TO_HIGH) | 0, iova | 0) : -1;
    return pa < 0 ? this.anyToPhys(iova) : (pa as PhysAddr);
  }

  free(): void {
    this.tree.free();
  }

  private mapAny(iova: Iova, pa: PhysAddr, pageBytes: number, count: number, prot: number): void {
    const bits = this.checkSize(pageBytes, count);
    this.checkAligned(iova, bits);
    this.checkAligned(pa, bits);
    if ((prot & READ_OR_WRITE) === 0) this.refuse(`protection ${prot} lets neither reads nor writes through`);
    const sizeBytes = count * pageBytes;
    if (iova + sizeBytes > this.inputEnd || pa + sizeBytes > this.outputEnd) {
      const range = `${hex(sizeBytes)} bytes from ${hex(iova)} to ${hex(pa)}`;
      const beyond = `${range} are beyond ${this.iasBits} or ${this.oasBits} address bits`;
      throw new LinuxError('ERANGE', `${this.path}: ${beyond}`);
    }
    const attribute = (prot & PROT_MASK) << 1;
    const leafLo = this.attributes[attribute] | (pageBytes === this.granuleBytes ? PAGE : ENTRY.BLOCK);
    mapRun(this.tree, iova, pa, bits, count, leafLo, this.attributes[attribute + 1]);
  }

  private unmapAny(iova: Iova, pageBytes: number, count: number): number {
    this.checkAligned(iova, this.checkSize(pageBytes, count));
    const end = Math.min(iova + count * pageBytes, this.inputEnd);
    if (iova >= end) return 0;
    const from = this.dropNothing();
    const unmapped = unmapRun(this.tree, iova, end, this.dropped);
    this.giveDropped(from);
    return unmapped;
  }

  /** A page whose table may be empty after it. */
  private unmapLast(hi: number, lo: number): boolean {
    const from = this.dropNothing();
    const isUnmapped = unmapPage(this.tree, hi, lo, this.dropped);
    this.giveDropped(from);
    return isUnmapped;
  }

  /** Before an unmap: how many tables wait already, which are of one that goes on around this. */
  private dropNothing(): number {
    this.dropped.first = Infinity;
    this.dropped.last = -1;
    return this.dropped.tables.length;
  }

  /** After an unmap: `flushWalk` may unmap, too, and what that drops is gone when it returns. */
  private giveDropped(from: number): void {
    const { tables, first, last } = this.dropped;
    if (tables.length === from) return;
    this.flushWalk(first as Iova, last - first + 1, this.granuleBytes);
    while (tables.length > from) this.tree.pool.give(tables.pop()!);
  }

  private anyToPhys(iova: Iova): PhysAddr | undefined {
    if (!(iova >= 0 && iova < this.inputEnd)) return undefined;
    const { tree, geometry } = this;
    const hi = (iova * TO_HIGH) | 0;
    const lo = iova | 0;
    const bits = tree.deepest(hi, lo, geometry.pageBits);
    const table = tree.path[tree.levelOf(bits)];
    const words = tree.words(table);
    const word = tree.wordIndex(table, hi, lo, bits);
    if (LOW_WORD.Valid(words[word]) === 0) return undefined;
    const leaf = HIGH_WORD.OutputAddress_47_32(words[word + 1]) * HIGH + (words[word] >>> 0);
    const large = geometry.largeAddresses ? LOW_WORD.OutputAddress_51_48(words[word]) * POWERS[48] : 0;
    return (large + alignedTo(bits, leaf) + iova - alignedTo(bits, iova)) as PhysAddr;
  }

  /** The address bits below a page of that size. */
  private checkSize(pageBytes: number, count: number): number {
    const index = this.pageSizes.indexOf(pageBytes);
    if (index < 0) this.refuse(`no page has ${pageBytes} bytes`);
    if (!Number.isInteger(count) || count < 0) this.refuse(`${count} is no number of pages`);
    return this.geometry.leafBits[index];
  }

  private checkAligned(address: number, bits: number): void {
    if (address >= 0 && alignedTo(bits, address) === address) return;
    this.refuse(`${hex(address)} is no multiple of ${hex(POWERS[bits])}`);
  }

  private refuse(why: string): never {
    throw new LinuxError('EINVAL', `${this.path}: ${why}`);
  }
}

function poolOf({ path, memory, granuleBytes }: PageTableOptions, { oasBits }: Geometry): TablePool {
  if (!(memory instanceof TablePool))
    return new TablePool({ path, memory, tableBytes: granuleBytes, addressBits: oasBits });
  if (memory.tableBytes === granuleBytes && memory.addressBits <= oasBits) return memory;
  const has = `${memory.tableBytes} bytes with ${memory.addressBits} address bits`;
  throw new LinuxError('EINVAL', `${path}: a pool for tables of ${has}, not of ${granuleBytes} with ${oasBits}`);
}
