// SPDX-License-Identifier: Apache-2.0
// An address space that the kernel manages for its drivers: IOVAs on demand, strict or lazy invalidation, doorbells among them.
// Source: the behaviour of Linux 6.1, drivers/iommu/dma-iommu.c.

import { alignDown, alignUp, hex } from '@irqkit/bits';
import type { Iova, PhysAddr } from '../contracts/address.js';
import { LinuxError } from '../contracts/errno.js';
import type { FirmwareNode } from '../contracts/firmware.js';
import type { IommuDomainOps, IommuResvRegion } from '../contracts/iommu.js';
import { FlushQueue } from './flush-queue.js';
import { IotlbGather } from './iotlb-gather.js';
import { IovaDomain } from './iova/iova-domain.js';
import { MsiBindings } from './msi-bindings/msi-bindings.js';
import { PagingDomain } from './paging-domain.js';

export interface DmaDomainOptions {
  readonly iommu: FirmwareNode;
  readonly ops: IommuDomainOps;
  /** True to invalidate by a flush queue; else every unmapping invalidates. @linux IOMMU_DOMAIN_DMA_FQ */
  readonly lazy?: boolean;
}

/** @linux IOMMU_DOMAIN_DMA */
export class DmaDomain extends PagingDomain {
  readonly iovas: IovaDomain;
  /** Undefined in strict mode. */
  readonly flushQueue: FlushQueue | undefined;
  override readonly msiBindings: MsiBindings;

  /** @linux iommu_dma_init_domain */
  constructor({ iommu, ops, lazy = false }: DmaDomainOptions) {
    super({ type: 'dma', iommu, ops });
    const granuleBytes = ops.pageSizes[0];
    const iovas = new IovaDomain({ place: iommu.path, granuleBytes, range: ops.aperture });
    this.iovas = iovas;
    if (lazy)
      this.flushQueue = new FlushQueue(
        () => ops.flushIotlbAll(),
        (iova) => iovas.free(iova),
      );
    this.msiBindings = new MsiBindings(this, {
      keepsUnused: true,
      take: () => this.#take(granuleBytes, ops.aperture.last),
      giveBack: (iova) => iovas.free(iova),
    });
  }

  /**
   * Keeps the IOVAs of a region from being given out; mapping a direct one is the caller's. A `msi` region's doorbells are
   * reached at their own addresses. A `sw-msi` region is for unmanaged domains: here nothing is reserved.
   * @throws LinuxError EBUSY where IOVAs in it are in use @linux iova_reserve_iommu_regions
   */
  reserve(region: IommuResvRegion): void {
    if (region.type === 'sw-msi') return;
    this.iovas.reserve(region.base, region.sizeBytes);
    if (region.type === 'msi') this.msiBindings.addUntranslated(region.base, region.sizeBytes);
  }

  /**
   * Makes [pa, pa + sizeBytes) reachable. `last` is the highest address that the device can use.
   * @returns the IOVA of `pa`, at the same offset in its page
   * @throws LinuxError ENOSPC without IOVAs, ENOMEM …; nothing is taken then @linux __iommu_dma_map
   */
  dmaMap(pa: PhysAddr, sizeBytes: number, prot: number, last: Iova = this.aperture.last): Iova {
    const { granuleBytes } = this.iovas;
    if (!(sizeBytes > 0)) throw new LinuxError('EINVAL', `${this.iommu.path}: nothing to map at ${hex(pa)}`);
    const start = alignDown(pa, granuleBytes);
    const wholeBytes = alignUp(pa + sizeBytes, granuleBytes) - start;
    const iova = this.#take(wholeBytes, last);
    try {
      this.map(iova, start, wholeBytes, prot);
    } catch (error) {
      this.iovas.free(iova);
      throw error;
    }
    return (iova + (pa - start)) as Iova;
  }

  /**
   * Takes one `dmaMap` back, given what it returned and its size. In lazy mode the device may reach it until the flush queue
   * is flushed. @throws LinuxError EINVAL where it is not mapped so @linux __iommu_dma_unmap
   */
  dmaUnmap(iova: Iova, sizeBytes: number): void {
    const { granuleBytes } = this.iovas;
    const start = alignDown(iova, granuleBytes);
    const wholeBytes = alignUp(iova + sizeBytes, granuleBytes) - start;
    const gather = new IotlbGather(this.flushQueue !== undefined);
    const unmapped = this.iovas.holds(start, wholeBytes) ? this.unmapGathered(start, wholeBytes, gather) : 0;
    if (unmapped !== wholeBytes) {
      if (unmapped > 0) this.ops.flushIotlbAll();
      throw new LinuxError('EINVAL', `${this.iommu.path}: ${hex(iova)}+${hex(sizeBytes)} is not mapped`);
    }
    if (this.flushQueue) this.flushQueue.add(start);
    else {
      this.ops.iotlbSync(gather);
      this.iovas.free(start);
    }
  }

  // CHOICE: IOVAs that wait for a flush are no reason to fail; Linux would, until its timer has run.
  #take(sizeBytes: number, last: Iova): Iova {
    try {
      return this.iovas.alloc(sizeBytes, last);
    } catch (error) {
      if (!LinuxError.is(error, 'ENOSPC') || !this.flushQueue?.length) throw error;
      this.flushQueue.flush();
      return this.iovas.alloc(sizeBytes, last);
    }
  }
}
