// SPDX-License-Identifier: Apache-2.0
// VFIO of one host: who is bound to it, and the files of /dev/vfio. Source: the behaviour of Linux 6.1 drivers/vfio.

import { LinuxError } from '@irqkit/core';
import type { Device, Host, IommuGroup } from '@irqkit/core';
import { VfioContainer } from './container/vfio-container.js';
import type { WindowPolicy } from './container/window-policy.js';
import type { VfioDeviceDriver } from './device-driver.js';
import { DriverBindings } from './group/driver-bindings.js';
import { VfioGroup } from './group/vfio-group.js';
import type { Process } from './process/process.js';
import { DEFAULT_SETTINGS } from './vfio-settings.js';
import type { VfioSettings } from './vfio-settings.js';

export interface VfioSystemOptions {
  readonly host: Pick<Host, 'iommus' | 'doorbells'>;
  /** Opens the devices that are bound to VFIO. */
  readonly driver: VfioDeviceDriver;
  readonly settings?: Partial<VfioSettings>;
}

export class VfioSystem {
  readonly host: VfioSystemOptions['host'];
  readonly driver: VfioDeviceDriver;
  readonly settings: VfioSettings;
  /** Who has which device of the host; nobody to begin with. */
  readonly bindings: DriverBindings;
  readonly #groups = new Map<IommuGroup, VfioGroup>();

  constructor({ host, driver, settings }: VfioSystemOptions) {
    this.host = host;
    this.driver = driver;
    this.settings = { ...DEFAULT_SETTINGS, ...settings };
    this.bindings = new DriverBindings(host.iommus);
  }

  /**
   * Gives a device to user space.
   * @throws LinuxError ENODEV for one without a group, EBUSY where a driver has it @linux vfio_pci_probe
   */
  bindDevice(device: Device): void {
    if (!device.iommuGroup) throw new LinuxError('ENODEV', `${device.name}: no iommu group`);
    this.bindings.bind(device, { name: this.driver.name, managedDma: true });
  }

  /**
   * CHOICE: a device that is open is an EBUSY; Linux asks its user to let go and waits.
   * @throws LinuxError EBUSY, ENODEV where it is not bound to VFIO
   */
  unbindDevice(device: Device): void {
    if (!this.isBound(device)) throw new LinuxError('ENODEV', `${device.name}: not bound to ${this.driver.name}`);
    if (this.#find(device)?.isOpen(device)) throw new LinuxError('EBUSY', `${device.name}: user space has it open`);
    this.bindings.unbind(device);
  }

  isBound(device: Device): boolean {
    return this.bindings.of(device)?.name === this.driver.name;
  }

  /** The ids under /dev/vfio: groups with a device that is bound to VFIO, ascending. */
  get groupIds(): readonly number[] {
    return this.host.iommus.groups.filter((group) => this.#hasBound(group)).map(({ id }) => id);
  }

  /** /dev/vfio/vfio. The window policy is the container's for good (R15). @throws LinuxError ESRCH for a dead process */
  openContainer(process: Process, policy: WindowPolicy = 'sw-msi'): VfioContainer {
    return VfioContainer.open(this, process, policy);
  }

  /** /dev/vfio/<id>. @throws LinuxError ENOENT for a group without a bound device, EBUSY while it is open, ESRCH */
  openGroup(process: Process, id: number): VfioGroup {
    const iommuGroup = this.host.iommus.groups.find((group) => group.id === id && this.#hasBound(group));
    if (!iommuGroup) throw new LinuxError('ENOENT', `/dev/vfio/${id}: no such group`);
    const open = this.#groups.get(iommuGroup);
    if (open) throw new LinuxError('EBUSY', `${open.path}: open already`);
    const group = new VfioGroup(this, iommuGroup, () => this.#groups.delete(iommuGroup));
    this.#groups.set(iommuGroup, group);
    group.fd = process.install(group);
    return group;
  }

  /** open(2) of a path under /dev/vfio, under the SW_MSI policy. @returns the descriptor @throws as the two above; ENOENT */
  open(process: Process, path: string): number {
    if (path === '/dev/vfio/vfio') return this.openContainer(process).fd;
    const [, id] = /^\/dev\/vfio\/(\d+)$/.exec(path) ?? [];
    if (id === undefined) throw new LinuxError('ENOENT', `${path}: no such file`);
    return this.openGroup(process, Number(id)).fd;
  }

  #hasBound(group: IommuGroup): boolean {
    return group.devices.some((device) => this.isBound(device));
  }

  #find(device: Device): VfioGroup | undefined {
    return device.iommuGroup && this.#groups.get(device.iommuGroup);
  }
}
