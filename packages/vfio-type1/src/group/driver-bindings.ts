// SPDX-License-Identifier: Apache-2.0
// Which driver has which device, and whose a group's DMA is: the host's drivers' or one VFIO user's.
// Source: the behaviour of Linux 6.1 iommu_device_use_default_domain, iommu_group_claim_dma_owner.

import { LinuxError } from '@irqkit/core';
import type { Device, IommuCore, IommuGroup } from '@irqkit/core';

/** A driver as sysfs names it. */
export interface DriverBinding {
  readonly name: string;
  /**
   * True where it leaves DMA to others, as port drivers and vfio-pci do: its devices do not keep a group from user space.
   * @linux device_driver.driver_managed_dma
   */
  readonly managedDma: boolean;
}

export class DriverBindings {
  readonly #iommus: IommuCore;
  readonly #bindings = new Map<Device, DriverBinding>();
  readonly #claims = new Map<IommuGroup, () => void>();

  constructor(iommus: IommuCore) {
    this.#iommus = iommus;
  }

  of(device: Device): DriverBinding | undefined {
    return this.#bindings.get(device);
  }

  /**
   * @throws LinuxError EBUSY where it has a driver, or its group is user space's and the driver would do DMA
   * @linux really_probe, iommu_device_use_default_domain
   */
  bind(device: Device, binding: DriverBinding): void {
    const bound = this.#bindings.get(device);
    if (bound) throw new LinuxError('EBUSY', `${device.name}: bound to ${bound.name}`);
    if (!binding.managedDma && device.iommuGroup && this.#claims.has(device.iommuGroup))
      throw new LinuxError('EBUSY', `${device.name}: its iommu group ${device.iommuGroup.id} belongs to user space`);
    this.#bindings.set(device, binding);
  }

  /** @throws LinuxError ENODEV where it has no driver */
  unbind(device: Device): void {
    if (!this.#bindings.delete(device)) throw new LinuxError('ENODEV', `${device.name}: no driver`);
  }

  /** True where user space has the group. */
  claimed(group: IommuGroup): boolean {
    return this.#claims.has(group);
  }

  /** The first device that keeps the group from user space; undefined for a viable group. */
  hostOwned(group: IommuGroup): Device | undefined {
    return group.devices.find((device) => this.#bindings.get(device)?.managedDma === false);
  }

  /**
   * Takes a group from the host: its devices reach nothing from here on until they are attached to a domain.
   * @throws LinuxError EPERM where a host driver has one of its devices or it is claimed; what the IOMMU throws
   * @linux iommu_group_claim_dma_owner
   */
  claim(group: IommuGroup): void {
    const owned = this.hostOwned(group);
    if (owned)
      throw new LinuxError('EPERM', `iommu group ${group.id}: ${owned.name} is bound to ${this.of(owned)?.name ?? ''}`);
    if (this.#claims.has(group)) throw new LinuxError('EPERM', `iommu group ${group.id} is claimed already`);
    this.#claims.set(group, this.#iommus.claimDmaOwner(group));
  }

  /** Gives it back to its default domain; nothing to give back is no error. @throws what the IOMMU throws @linux iommu_group_release_dma_owner */
  release(group: IommuGroup): void {
    this.#claims.get(group)?.();
    this.#claims.delete(group);
  }
}
