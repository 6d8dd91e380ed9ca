// SPDX-License-Identifier: Apache-2.0
// What an IOMMU driver implements. Source of the protection bits: Linux 6.1 include/linux/iommu.h.

import type { Iova, PhysAddr } from './address.js';
import type { Device } from './device.js';

/** @linux IOMMU_READ, IOMMU_WRITE, IOMMU_CACHE, IOMMU_NOEXEC, IOMMU_MMIO */
export const IOMMU_PROT = { READ: 1, WRITE: 2, CACHE: 4, NOEXEC: 8, MMIO: 16 } as const;

/** What mapping a doorbell asks for: devices write it, nothing reads or executes it. */
export const DOORBELL_PROT = IOMMU_PROT.WRITE | IOMMU_PROT.NOEXEC | IOMMU_PROT.MMIO;

/** @linux IOMMU_DOMAIN_DMA, IOMMU_DOMAIN_UNMANAGED, IOMMU_DOMAIN_IDENTITY, IOMMU_DOMAIN_BLOCKED */
export type IommuDomainType = 'dma' | 'unmanaged' | 'identity' | 'blocked';

/** One I/O address space. @linux struct iommu_domain */
export interface IommuDomain {
  readonly type: IommuDomainType;
  /** Sizes of pages and blocks in bytes, ascending. */
  readonly pageSizes: readonly number[];
  /** @throws LinuxError EEXIST on overlap, EINVAL on misalignment, ENOMEM with nothing mapped. */
  map(iova: Iova, pa: PhysAddr, sizeBytes: number, prot: number): void;
  /** The bytes unmapped. */
  unmap(iova: Iova, sizeBytes: number): number;
  iovaToPhys(iova: Iova): PhysAddr | undefined;
}

/** Devices that an IOMMU cannot tell apart. @linux struct iommu_group */
export interface IommuGroup {
  readonly id: number;
  readonly devices: readonly Device[];
}
