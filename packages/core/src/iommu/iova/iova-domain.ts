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
import { NR_CACHED_ORDERS } from './magazines.js';
import { PageRanges } from './page-ranges.js';
import type { PageRange } from './page-ranges.js';

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
  readonly #cachedOrders: number;
  readonly #pagesPerByte: number;
  readonly #mostBytes: number;
  readonly #reserved = new PageRanges();
  /** Below 4 GiB, and from there up; the highest first. */
  readonly #low: IovaRegion[] = [];
  readonly #high: IovaRegion[] = [];
  /** Where allocations are looked for first. */
  readonly #preferred: IovaRegion;
  /** Its last address. */
  readonly #lastPreferred: number;

  /** Page 0 is never given out. @linux init_iova_domain, iommu_dma_init_domain */
  constructor({ place, granuleBytes, range, magazines = true }: IovaDomainOptions) {
    this.granuleBytes = granuleBytes;
    this.last = range.last;
    this.#place = place;
    this.#cachedOrders = magazines ? NR_CACHED_ORDERS : 0;
    this.#pagesPerByte = 1 / granuleBytes;
    this.#mostBytes = 2 ** MAX_LOG2_PAGES * granuleBytes;
    const first = Math.max(1, Math.ceil(range.first * this.#pagesPerByte));
    const last = Math.floor((range.last + 1) * this.#pagesPerByte) - 1;
    const lastLow = 2 ** 32 * this.#pagesPerByte - 1;
    if (first <= lastLow) this.#low.push(this.#region({ first, last: Math.min(last, lastLow) }));
    if (last > lastLow) this.#high.push(this.#region({ first: Math.max(first, lastLow + 1), last }));
    this.#preferred = this.#low[0] ?? this.#high[0];
    this.#lastPreferred = (this.#preferred.last + 1) * granuleBytes - 1;
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
  alloc(sizeBytes: number, last: Iova = this.last): Iova {
    if (!(sizeBytes > 0 && sizeBytes <= this.#mostBytes)) throw this.#refusal(sizeBytes, last);
    const order = this.#orderOf(sizeBytes);
    const place = last >= this.#lastPreferred ? this.#preferred.allocOpen(order) : -1;
    const iova = place >= 0 ? this.#preferred.iovaAt(place) : this.#allocAnywhere(order, last);
    if (iova < 0) throw this.#refusal(sizeBytes, last);
    return iova as Iova;
  }

  /** @throws LinuxError EINVAL where no allocation begins at `iova` @linux free_iova_fast */
  free(iova: Iova): void {
    if (!this.#preferred.free(iova) && !this.#freeAnywhere(iova))
      throw this.#error('EINVAL', `no allocation begins at ${hex(iova)}`);
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
    const regions = this.#regions;
    if (!regions.every((region) => region.isUnused(pages)))
      throw this.#error('EBUSY', `IOVAs are allocated in ${hex(base)}+${hex(sizeBytes)}`);
    for (const region of regions) region.takeOut(pages);
    this.#reserved.add(pages);
  }

  #orderOf(sizeBytes: number): number {
    return 32 - Math.clz32(((sizeBytes - 1) * this.#pagesPerByte) | 0);
  }

  /** @returns an IOVA, or -1 where there is no room */
  #allocAnywhere(order: number, last: number): number {
    const limit = Math.floor((Math.min(last, this.last) + 1) * this.#pagesPerByte) - 1;
    const iova = this.#allocUpTo(order, limit);
    if (iova >= 0) return iova;
    for (const region of this.#regions) region.drain();
    return this.#allocUpTo(order, limit);
  }

  #allocUpTo(order: number, limit: number): number {
    const low = this.#allocIn(this.#low, order, limit);
    return low >= 0 ? low : this.#allocIn(this.#high, order, limit);
  }

  /** What a limit cuts off below all open pages, or what a window does not reach, becomes a region of its own. */
  #allocIn(regions: IovaRegion[], order: number, limit: number): number {
    for (let i = 0; i < regions.length; i++) {
      const region = regions[i];
      const place = limit >= region.last ? region.alloc(order) : region.allocUpTo(order, limit);
      if (place >= 0) return region.iovaAt(place);
      const rest = region.giveUp(limit);
      if (rest) regions.splice(i + 1, 0, this.#region(rest));
    }
    return -1;
  }

  #freeAnywhere(iova: Iova): boolean {
    for (let i = 0; i < this.#high.length; i++) if (this.#high[i].free(iova)) return true;
    for (let i = 0; i < this.#low.length; i++) if (this.#low[i].free(iova)) return true;
    return false;
  }

  #refusal(sizeBytes: number, last: number): LinuxError {
    return sizeBytes > 0
      ? this.#error('ENOSPC', `no IOVAs for ${hex(sizeBytes)} bytes up to ${hex(last)}`)
      : this.#error('EINVAL', `asked for IOVAs of ${sizeBytes} bytes`);
  }

  #error(code: Errno, message: string): LinuxError {
    return new LinuxError(code, `${this.#place}: ${message}`);
  }

  get #regions(): IovaRegion[] {
    return [...this.#low, ...this.#high];
  }

  #region(range: PageRange): IovaRegion {
    return new IovaRegion(range, {
      granuleBytes: this.granuleBytes,
      reserved: this.#reserved,
      cachedOrders: this.#cachedOrders,
    });
  }
}
