// SPDX-License-Identifier: Apache-2.0
// The doorbell pages bound in one domain: one binding per page, shared and counted (R7-R12).
// Source: the behaviour of Linux 6.1, iommu_dma_get_msi_page (drivers/iommu/dma-iommu.c), and the v11 series' msi-iommu.

import { alignDown, hex } from '@irqkit/bits';
import type { Iova, PhysAddr } from '../../contracts/address.js';
import type { MsiTranslation } from '../../contracts/device.js';
import { doorbellBases } from '../../contracts/doorbell.js';
import type { MsiDoorbellInfo } from '../../contracts/doorbell.js';
import { LinuxError } from '../../contracts/errno.js';
import { DOORBELL_PROT } from '../../contracts/iommu.js';
import type { IommuDomain } from '../../contracts/iommu.js';

/** Where doorbell pages get their IOVAs: what tells one policy from another. */
export interface DoorbellIovas {
  /** True where a page without users stays mapped until the domain is freed. */
  readonly keepsUnused: boolean;
  /** The IOVA of one page of the domain's smallest size. @throws LinuxError ENOSPC, EINVAL */
  take(): Iova;
  /** Takes back what `take` gave; what it gave last, where unused pages are kept. */
  giveBack(iova: Iova): void;
}

/** One doorbell page of a domain. */
export interface MsiBinding {
  readonly iova: Iova;
  readonly pa: PhysAddr;
  /** How many times it is bound; 0 where an unused page is kept. */
  readonly users: number;
}

type Page = { -readonly [K in keyof MsiBinding]: MsiBinding[K] };

/** @linux struct iommu_dma_cookie, msi_page_list */
export class MsiBindings implements MsiTranslation {
  readonly #domain: IommuDomain;
  readonly #iovas: DoorbellIovas;
  readonly #pageBytes: number;
  readonly #pages = new Map<PhysAddr, Page>();

  /** The domain's IOMMU translates MSIs; bindings are pages of its smallest size. */
  constructor(domain: IommuDomain, iovas: DoorbellIovas) {
    this.#domain = domain;
    this.#iovas = iovas;
    this.#pageBytes = domain.pageSizes[0];
  }

  /** In the order in which they were made. */
  get bindings(): readonly MsiBinding[] {
    return [...this.#pages.values()];
  }

  /**
   * Binds every page of the doorbell, for all processors, or none.
   * @throws LinuxError what the policy (ENOSPC, EINVAL) or the domain's `map` (ENOMEM …) throws
   */
  bind(doorbell: MsiDoorbellInfo): void {
    const bound: { readonly page: Page; readonly isNew: boolean }[] = [];
    try {
      for (const pa of this.#pagesOf(doorbell)) {
        const known = this.#pages.get(pa);
        const page = known ?? this.#map(pa);
        page.users++;
        bound.push({ page, isNew: !known });
      }
    } catch (error) {
      for (const { page, isNew } of bound.reverse()) {
        page.users--;
        if (isNew) this.#unmap(page);
      }
      throw error;
    }
  }

  /** @throws LinuxError EINVAL, with nothing taken back, where the doorbell is not bound */
  unbind(doorbell: MsiDoorbellInfo): void {
    const bound = this.#pagesOf(doorbell).map((pa) => this.#boundPage(pa));
    for (const page of bound.reverse()) {
      page.users--;
      if (page.users === 0 && !this.#iovas.keepsUnused) this.#unmap(page);
    }
  }

  iovaOf(pa: PhysAddr): Iova | undefined {
    const base = alignDown(pa, this.#pageBytes);
    const page = this.#pages.get(base);
    return page && page.users > 0 ? ((page.iova + (pa - base)) as Iova) : undefined;
  }

  /**
   * Pages that the hardware lets MSIs through to: bound to their own address without a mapping.
   * @linux cookie_init_hw_msi_region
   */
  addUntranslated(base: Iova, sizeBytes: number): void {
    for (const pa of this.#pagesTouched(base, sizeBytes))
      if (!this.#pages.has(pa)) this.#pages.set(pa, { iova: pa as number as Iova, pa, users: 0 });
  }

  #map(pa: PhysAddr): Page {
    const iova = this.#iovas.take();
    try {
      this.#domain.map(iova, pa, this.#pageBytes, DOORBELL_PROT);
    } catch (error) {
      this.#iovas.giveBack(iova);
      throw error;
    }
    const page = { iova, pa, users: 0 };
    this.#pages.set(pa, page);
    return page;
  }

  #unmap(page: Page): void {
    this.#pages.delete(page.pa);
    this.#domain.unmap(page.iova, this.#pageBytes);
    this.#iovas.giveBack(page.iova);
  }

  #boundPage(pa: PhysAddr): Page {
    const page = this.#pages.get(pa);
    if (page && page.users > 0) return page;
    throw new LinuxError('EINVAL', `${this.#domain.iommu.path}: doorbell page ${hex(pa)} is not bound`);
  }

  /** Each page once, also where processors' doorbells share it. */
  #pagesOf(doorbell: MsiDoorbellInfo): PhysAddr[] {
    const touched = doorbellBases(doorbell).flatMap((base) => this.#pagesTouched(base, doorbell.sizeBytes));
    return [...new Set(touched)];
  }

  #pagesTouched(base: number, sizeBytes: number): PhysAddr[] {
    const pages: PhysAddr[] = [];
    for (let pa = alignDown(base, this.#pageBytes); pa < base + sizeBytes; pa += this.#pageBytes)
      pages.push(pa as PhysAddr);
    return pages;
  }
}
