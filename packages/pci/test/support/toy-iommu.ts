// SPDX-License-Identifier: Apache-2.0
// An IOMMU with nothing but pages of 4 KiB in a Map. Its devices and their ids are there to be looked at.

import { LinuxError, iova } from '@irqkit/core';
import type { Device, IommuDomainOps, IommuDomainType, IommuOps, MappedId, PhysAddr } from '@irqkit/core';

const PAGE = 0x1000;

export class ToyIommu implements IommuOps {
  readonly translatesMsi = true;
  readonly devices = new Map<Device, readonly number[]>();
  readonly attached = new Map<Device, IommuDomainType>();
  nrDomains = 0;
  /** Devices that it refuses, by name. */
  readonly refused = new Set<string>();

  probeDevice(device: Device, ids: readonly MappedId[]): void {
    if (this.refused.has(device.name)) throw new LinuxError('EINVAL', `${device.name}: refused`);
    this.devices.set(
      device,
      ids.map(({ id }) => id),
    );
  }

  releaseDevice(device: Device): void {
    this.devices.delete(device);
    this.attached.delete(device);
  }

  resvRegions(): ReturnType<NonNullable<IommuOps['resvRegions']>> {
    return [{ base: iova(0x800_0000), sizeBytes: 0x10_0000, type: 'sw-msi', prot: 0 }];
  }

  allocDomain(type: IommuDomainType): IommuDomainOps {
    const pages = new Map<number, number>();
    this.nrDomains++;
    return {
      pageSizes: [PAGE],
      aperture: { first: iova(0), last: iova(2 ** 48 - 1) },
      mapPages(at, pa, pageBytes, count) {
        for (let i = 0; i < count; i++) pages.set(at + i * pageBytes, pa + i * pageBytes);
      },
      unmapPages(at, pageBytes, count) {
        for (let i = 0; i < count; i++) pages.delete(at + i * pageBytes);
        return pageBytes * count;
      },
      iovaToPhys: (at) => pages.get(at - (at % PAGE)) as PhysAddr | undefined,
      flushIotlbAll: () => undefined,
      iotlbSync: () => undefined,
      attach: (device) => void this.attached.set(device, type),
      free: () => void this.nrDomains--,
    };
  }

  /** Names and ids of the devices behind it. */
  get ids(): readonly (readonly [string, readonly number[]])[] {
    return [...this.devices].map(([{ name }, ids]) => [name, ids] as const);
  }
}
