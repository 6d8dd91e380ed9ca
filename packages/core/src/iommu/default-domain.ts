// SPDX-License-Identifier: Apache-2.0
// The domain that a group's devices are in by default, and what must be in it before a device is. Source: the behaviour of
// Linux 6.1 iommu_group_alloc_default_domain, iommu_create_device_direct_mappings, iova_reserve_iommu_regions.

import { alignDown } from '@irqkit/bits';
import type { Iova, PhysAddr } from '../contracts/address.js';
import type { Device } from '../contracts/device.js';
import type { FirmwareNode } from '../contracts/firmware.js';
import type { IommuOps, IommuResvRegion } from '../contracts/iommu.js';
import type { Devres } from '../host/devres.js';
import type { HostLog } from '../host/contexts.js';
import { DmaDomain } from './dma-domain.js';
import { PagingDomain } from './paging-domain.js';

/** How default domains are made. */
export interface IommuSettings {
  /** True: identity, devices see physical addresses. False where missing. @linux iommu.passthrough */
  readonly passthrough?: boolean;
  /** True: unmapping invalidates at once; false: a flush queue does it later. True where missing. @linux iommu.strict */
  readonly strict?: boolean;
}

/** @throws what the driver throws @linux iommu_group_alloc_default_domain */
export function allocDefaultDomain(
  iommu: FirmwareNode,
  ops: IommuOps,
  { passthrough = false, strict = true }: IommuSettings,
  log: HostLog,
): PagingDomain {
  if (passthrough)
    try {
      return new PagingDomain({ type: 'identity', iommu, ops: ops.allocDomain('identity') });
    } catch (error) {
      log.warn(`${iommu.path}: falls back from identity to DMA domains: ${String(error)}`);
    }
  return new DmaDomain({ iommu, ops: ops.allocDomain('dma'), lazy: !strict });
}

/**
 * Keeps out of the domain's own addresses what the device's accesses do not translate through. That outlives a device which
 * cannot join: it takes nothing that others use.
 * @throws LinuxError EBUSY where one is in use @linux iova_reserve_iommu_regions, iova_reserve_pci_windows
 */
export function reserveRegions(domain: PagingDomain, device: Device, regions: readonly IommuResvRegion[]): void {
  if (!(domain instanceof DmaDomain)) return;
  for (const region of regions) domain.reserve(region);
  for (const { first, last } of device.untranslatedRanges ?? [])
    domain.reserve({ base: first, sizeBytes: last - first + 1, type: 'reserved', prot: 0 });
}

/** Maps what firmware goes on using at its own addresses, but for pages that are mapped. @linux iommu_create_device_direct_mappings */
export function mapDirectRegions(domain: PagingDomain, regions: readonly IommuResvRegion[], undo: Devres): void {
  if (!(domain instanceof DmaDomain)) return;
  for (const region of regions)
    if (region.type === 'direct' || region.type === 'direct-relaxable')
      for (const { first, sizeBytes } of unmappedRuns(domain, region)) {
        domain.map(first, first as number as PhysAddr, sizeBytes, region.prot);
        undo.add(() => void domain.unmap(first, sizeBytes));
      }
}

function unmappedRuns(
  domain: PagingDomain,
  { base, sizeBytes }: IommuResvRegion,
): { first: Iova; sizeBytes: number }[] {
  const [pageBytes] = domain.pageSizes;
  const runs: { first: Iova; sizeBytes: number }[] = [];
  let [first, at] = [alignDown(base, pageBytes), alignDown(base, pageBytes)];
  const close = (): void => {
    if (at > first) runs.push({ first, sizeBytes: at - first });
  };
  for (; at < base + sizeBytes; at = nextPage(at, pageBytes))
    if (domain.iovaToPhys(at) !== undefined) {
      close();
      first = nextPage(at, pageBytes);
    }
  close();
  return runs;
}

function nextPage(at: Iova, pageBytes: number): Iova {
  return (at + pageBytes) as Iova;
}
