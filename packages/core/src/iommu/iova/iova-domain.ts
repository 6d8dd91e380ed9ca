// SPDX-License-Identifier: Apache-2.0
// The IOVA space of a DMA domain: below 4 GiB first, from the top down, in blocks of 2^n pages aligned to their size.
// First allocations are where Linux 6.1's are (drivers/iommu/iova.c). Costs do not grow with what is allocated: buddies, with
// magazines before them, in windows that grow as they fill.

import { hex } from '@irqkit/bits';
import type { Iova } from '../../contracts/address.js';
import { LinuxError } from '../../contracts/errno.js';
import type { Errno } from '../../contracts/errno.js';
import type { IovaRange } from '../../contracts/iommu.js';
import { MAX_LOG2_PAGES } from './buddy-window.js';
import { IovaRegion } from './iova-region.js';
import { PageRanges } from './page-ranges.js';
import type { PageRange } from './page-ranges.js';

/** Sizes up to here are int32, which those of the fast path are. */
const MOST_BYTES_HERE = 2 ** 31 - 1;

export interface IovaDomainOptions {
  /** What error messages begin with. */
  readonly place: string;
  /** The IOMMU's smallest page, a power of two. */
  readonly granuleBytes: number;
  readonly range: IovaRange;
  /** False to join what is freed to its neighbours at once, so that the highest block that fits is always taken; true where missing. */
  readonly magazines?: boolean;
}

/** @linux struct iova_domain */
export class IovaDomain {
  readonly granuleBytes: number;
  readonly last: Iova;
  readonly #place: string;
  readonly #magazines: boolean;
  readonly #pagesPerByte: number;
  #log2Granule = 0;
  readonly #mostBytes: number;
  readonly #reserved = new PageRanges();
  /** In the order in which they are asked: those below 4 GiB, and those from there up; the highest first. */
  readonly #regions: IovaRegion[] = [];
  /** Where allocations are looked for first. */
  readonly #preferred: IovaRegion;
  /** Where `#allocAnywhere` found a place. */
  #found: IovaRegion;

  /** Page 0 is never given out. @linux init_iova_domain, iommu_dma_init_domain */
  constructor({ place, granuleBytes, range, magazines = true }: IovaDomainOptions) {
    this.granuleBytes = granuleBytes;
    this.last = range.last;
    this.#place = place;
    this.#magazines = magazines;
    this.#log2Granule = Math.log2(granuleBytes);
    this.#pagesPerByte = 1 / granuleBytes;
    this.#mostBytes = 2 ** MAX_LOG2_PAGES * granuleBytes;
    const first = Math.max(1, Math.ceil(range.first * this.#pagesPerByte));
    const last = Math.floor((range.last + 1) * this.#pagesPerByte) - 1;
    const lastLow = 2 ** 32 * this.#pagesPerByte - 1;
    if (first <= lastLow) this.#regions.push(this.#region({ first, last: Math.min(last, lastLow) }));
    if (last > lastLow) this.#regions.push(this.#region({ first: Math.max(first, lastLow + 1), last }));
    this.#preferred = this.#regions[0];
    this.#found = this.#preferred;
  }

  /** How many allocations live; counted when asked for. */
  get nrAllocated(): number {
    return this.#regions.reduce((sum, region) => sum + region.nrAllocated, 0);
  }

  /**
   * At least `sizeBytes`, none of it above `last`. CHOICE: sizes are rounded up to a power of two pages. Linux rounds those
   * below 32 pages; larger ones it only aligns so. And a gap that an alignment left is filled at once, where Linux has passed it.
   * @throws LinuxError ENOSPC, EINVAL for an empty range @linux alloc_iova_fast, iommu_dma_alloc_iova
   */
  alloc(sizeBytes: number, last?: Iova): Iova {
    const preferred = this.#preferred;
    if (sizeBytes <= MOST_BYTES_HERE && (last === undefined || last >= preferred.lastIova)) {
      const order = 32 - Math.clz32((sizeBytes - 1) >> this.#log2Granule);
      if (preferred.hasAgain(order)) return preferred.iovaAt(preferred.allocAgain(order)) as Iova;
      const place = order < 32 ? preferred.allocOpen(order) : -1;
      if (place >= 0) return preferred.iovaAt(place) as Iova;
    }
    const place = this.#allocAnywhere(sizeBytes, last);
    return this.#found.iovaAt(place) as Iova;
  }

  /** @throws LinuxError EINVAL where no allocation begins at `iova` @linux free_iova_fast */
  free(iova: Iova): void {
    const regions = this.#regions;
    let region = this.#preferred;
    for (let next = 1; !region.free(iova); next++) {
      if (next >= regions.length) this.#refuseFree(iova);
      region = regions[next];
    }
  }

  /** True where an allocation begins at `iova` whose size `sizeBytes` would be rounded to. */
  holds(iova: Iova, sizeBytes: number): boolean {
    return this.#regions.some((region) => region.orderAt(iova) === this.#orderOf(sizeBytes));
  }

  /**
   * Keeps every page that the range touches from being given out, for good; a second time is no error.
   * @throws LinuxError EBUSY, with nothing reserved, where something in it is allocated @linux reserve_iova
   */
  reserve(base: Iova, sizeBytes: number): void {
    const last = Math.floor((base + sizeBytes - 1) * this.#pagesPerByte);
    const pages = { first: Math.floor(base * this.#pagesPerByte), last };
    if (!this.#regions.every((region) => region.isUnused(pages)))
      throw this.#error('EBUSY', `IOVAs are allocated in ${hex(base)}+${hex(sizeBytes)}`);
    for (const region of this.#regions) region.takeOut(pages);
    this.#reserved.add(pages);
  }

  #orderOf(sizeBytes: number): number {
    return 32 - Math.clz32(((sizeBytes - 1) * this.#pagesPerByte) | 0);
  }

  /**
   * For what the preferred region has no open page for. What a limit cuts off below all open pages, or what a window does not reach, becomes a region of its own.
   * In one piece, as BuddyWindow's `alloc` is, and for the same reason.
   * @returns a place in `#found`
   */
  #allocAnywhere(sizeBytes: number, last: Iova | undefined): number {
    if (!(sizeBytes > 0)) throw new LinuxError('EINVAL', `${this.#place}: asked for IOVAs of ${sizeBytes} bytes`);
    const order = 32 - Math.clz32(((sizeBytes - 1) * this.#pagesPerByte) | 0);
    const regions = this.#regions;
    for (let drained = sizeBytes > this.#mostBytes; ; drained = true) {
      for (let i = 0; i < regions.length && sizeBytes <= this.#mostBytes; i++) {
        const region = regions[i];
        const whole = last === undefined || last >= region.lastIova;
        const place = whole ? region.alloc(order) : region.allocUpTo(order, last);
        if (place >= 0) {
          this.#found = region;
          return place;
        }
        const range = region.giveUp(last);
        if (range) regions.splice(i + 1, 0, this.#region(range));
      }
      if (drained) {
        const asked = `${hex(sizeBytes)} bytes up to ${hex(last ?? this.last)}`;
        throw new LinuxError('ENOSPC', `${this.#place}: no IOVAs for ${asked}`);
      }
      for (const region of regions) region.drain();
    }
  }

  #refuseFree(iova: Iova): never {
    throw this.#error('EINVAL', `no allocation begins at ${hex(iova)}`);
  }

  #error(code: Errno, message: string): LinuxError {
    return new LinuxError(code, `${this.#place}: ${message}`);
  }

  #region(range: PageRange): IovaRegion {
    return new IovaRegion(range, {
      granuleBytes: this.granuleBytes,
      reserved: this.#reserved,
      magazines: this.#magazines,
    });
  }
}
