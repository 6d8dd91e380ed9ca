// SPDX-License-Identifier: Apache-2.0
// What an IOMMU driver implements, and what users of address spaces see. Names, protection bits and reserved region
// types: Linux 6.1 include/linux/iommu.h.

import type { Iova, PhysAddr } from './address.js';
import type { Device } from './device.js';
import type { FirmwareNode, MappedId } from './firmware.js';

/** @linux IOMMU_READ, IOMMU_WRITE, IOMMU_CACHE, IOMMU_NOEXEC, IOMMU_MMIO, IOMMU_PRIV */
export const IOMMU_PROT = { READ: 1, WRITE: 2, CACHE: 4, NOEXEC: 8, MMIO: 16, PRIV: 32 } as const;

/** What mapping a doorbell asks for: devices write it, nothing reads or executes it. */
export const DOORBELL_PROT = IOMMU_PROT.WRITE | IOMMU_PROT.NOEXEC | IOMMU_PROT.MMIO;

/** @linux IOMMU_DOMAIN_DMA, IOMMU_DOMAIN_UNMANAGED, IOMMU_DOMAIN_IDENTITY, IOMMU_DOMAIN_BLOCKED */
export type IommuDomainType = 'dma' | 'unmanaged' | 'identity' | 'blocked';

/** Addresses from `first` to `last`, both inside. @linux struct iommu_domain_geometry */
export interface IovaRange {
  readonly first: Iova;
  readonly last: Iova;
}

/**
 * A range that device accesses do not simply translate through. `direct`: firmware uses it, mapped one to one;
 * `direct-relaxable`: so until a driver takes the device; `reserved`: never mapped; `msi`: bypasses translation for
 * doorbell writes; `sw-msi`: where software maps doorbells. @linux enum iommu_resv_type
 */
export type IommuResvType = 'direct' | 'direct-relaxable' | 'reserved' | 'msi' | 'sw-msi';

/** @linux struct iommu_resv_region */
export interface IommuResvRegion {
  readonly base: Iova;
  readonly sizeBytes: number;
  readonly type: IommuResvType;
  /** IOMMU_PROT bits of a direct mapping; 0 on the others. */
  readonly prot: number;
}

/** Unmapped addresses whose invalidation waits for `iotlbSync`: one range, of one page size. @linux struct iommu_iotlb_gather */
export interface IotlbGather {
  /** The first and the last address of the range; `first` above `last` where nothing waits. */
  readonly first: number;
  readonly last: number;
  /** Of every entry in the range; 0 where nothing waits. */
  readonly pageBytes: number;
  /** True where a flush queue will invalidate all at once, so that the driver need not. */
  readonly queued: boolean;
  /** Adds a run. False, with nothing added, where it is of another page size or leaves a gap: sync first. */
  add(iova: Iova, sizeBytes: number, pageBytes: number): boolean;
  /** Empties it, once the invalidation is done. */
  reset(): void;
}

/** The driver's half of one address space. @linux struct iommu_domain_ops */
export interface IommuDomainOps {
  /** Sizes that one entry maps, in bytes, ascending; empty for identity and blocked domains. */
  readonly pageSizes: readonly number[];
  readonly aperture: IovaRange;
  /**
   * Maps `count` entries of `pageBytes` each, all or none. Both addresses are multiples of `pageBytes`.
   * @throws LinuxError EEXIST where one is mapped, ENOMEM, ERANGE beyond the input or output size
   * @linux iommu_domain_ops.map_pages
   */
  mapPages(iova: Iova, pa: PhysAddr, pageBytes: number, count: number, prot: number): void;
  /**
   * Unmaps up to `count` entries and adds them to `gather`, after syncing it where they do not fit. Ends at the first
   * address that is not mapped. A block that is larger than `pageBytes` is split.
   * @returns the bytes unmapped @linux iommu_domain_ops.unmap_pages
   */
  unmapPages(iova: Iova, pageBytes: number, count: number, gather: IotlbGather): number;
  iovaToPhys(iova: Iova): PhysAddr | undefined;
  /** No translation made before is used after. */
  flushIotlbAll(): void;
  /** No translation of the gathered range made before is used after; empties `gather`. */
  iotlbSync(gather: IotlbGather): void;
  /**
   * The device's accesses go through this domain from here on, whatever they went through before.
   * @throws LinuxError with the device where it was @linux iommu_domain_ops.attach_dev
   */
  attach(device: Device): void;
  /** Releases it; no device is attached. @linux iommu_domain_ops.free */
  free(): void;
}

/** One IOMMU, as its driver offers it to the framework. @linux struct iommu_ops */
export interface IommuOps {
  /** True where it translates MSI writes as it does any other, so that doorbells must be mapped. */
  readonly translatesMsi: boolean;
  /** True where it tells devices' interrupts apart itself, whatever their irqchip does. @linux IOMMU_CAP_INTR_REMAP */
  readonly isolatesMsi?: boolean;
  /**
   * Takes a device in; its accesses are blocked, or bypass where firmware left them so, until a domain is attached.
   * @throws LinuxError EINVAL where an id is taken by another device, ERANGE for one the hardware does not have
   * @linux iommu_ops.of_xlate, iommu_ops.probe_device
   */
  probeDevice(device: Device, ids: readonly MappedId[]): void;
  /** Lets it go: no domain of this IOMMU serves it any more. @linux iommu_ops.release_device */
  releaseDevice(device: Device): void;
  /** @throws LinuxError ENOSPC, ENOMEM, EINVAL for a type it has not @linux iommu_ops.domain_alloc */
  allocDomain(type: IommuDomainType): IommuDomainOps;
  /** What the hardware or the driver reserves; firmware's regions are the framework's. @linux iommu_ops.get_resv_regions */
  resvRegions?(device: Device): readonly IommuResvRegion[];
  /** A group that the hardware makes the device share, such as one stream match. @linux iommu_ops.device_group */
  deviceGroup?(device: Device): IommuGroup | undefined;
}

/** One I/O address space, as the users of devices see it. @linux struct iommu_domain */
export interface IommuDomain {
  readonly type: IommuDomainType;
  /** The IOMMU whose devices can be attached. */
  readonly iommu: FirmwareNode;
  /** Sizes of pages and blocks in bytes, ascending. */
  readonly pageSizes: readonly number[];
  readonly aperture: IovaRange;
  /**
   * Maps with the largest pages that fit.
   * @throws LinuxError EEXIST on overlap, EINVAL on misalignment to the smallest page, ERANGE, ENOMEM; nothing is mapped then
   * @linux iommu_map
   */
  map(iova: Iova, pa: PhysAddr, sizeBytes: number, prot: number): void;
  /**
   * Unmaps from `iova` to the first address that is not mapped, and invalidates.
   * @returns the bytes unmapped @throws LinuxError EINVAL on misalignment @linux iommu_unmap
   */
  unmap(iova: Iova, sizeBytes: number): number;
  /** @linux iommu_iova_to_phys */
  iovaToPhys(iova: Iova): PhysAddr | undefined;
}

/** An access that an IOMMU stopped, as its driver decoded the record. @linux report_iommu_fault */
export interface IommuFault {
  readonly iommu: FirmwareNode;
  /** Whose access it was; undefined for an id that no configured device has. */
  readonly device: Device | undefined;
  /** The id the access came with at the IOMMU: a StreamID. */
  readonly id: number;
  /** The address that the device put on the bus; undefined where the record has none. */
  readonly address: Iova | undefined;
  /** Undefined where the record does not say. */
  readonly write: boolean | undefined;
  /** The event as the IOMMU's manual names it: `F_TRANSLATION`. */
  readonly event: string;
  /** The whole record, decoded, in one line. */
  readonly text: string;
}

/** Devices that an IOMMU cannot tell apart. @linux struct iommu_group */
export interface IommuGroup {
  readonly id: number;
  readonly devices: readonly Device[];
}
