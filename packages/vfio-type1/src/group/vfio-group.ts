// SPDX-License-Identifier: Apache-2.0
// /dev/vfio/<id>: an IOMMU group in the hands of user space, and the devices that are opened through it.
// Source: the behaviour of Linux 6.1 drivers/vfio/vfio_main.c.

import { LinuxError } from '@irqkit/core';
import type { Device, IommuGroup } from '@irqkit/core';
import { groupIoctl } from '../abi/group-ioctl.js';
import type { VfioContainer } from '../container/vfio-container.js';
import type { IoctlArg, OpenFile } from '../process/open-file.js';
import type { Process } from '../process/process.js';
import type { VfioSystem } from '../vfio-system.js';
import { DeviceFile } from './device-file.js';
import { OpenDevice } from './open-device.js';

/** @linux VFIO_GROUP_FLAGS_VIABLE, VFIO_GROUP_FLAGS_CONTAINER_SET */
export interface GroupStatus {
  readonly viable: boolean;
  readonly containerSet: boolean;
}

export class VfioGroup implements OpenFile {
  readonly system: VfioSystem;
  readonly iommuGroup: IommuGroup;
  /** The descriptor that it was opened as. */
  fd = -1;
  readonly #onClosed: () => void;
  readonly #devices = new Map<Device, OpenDevice>();
  #container: VfioContainer | undefined;
  /** Of the file: its own descriptors count as one, each descriptor of a device as one more. */
  #nrUsers = 1;

  constructor(system: VfioSystem, iommuGroup: IommuGroup, onClosed: () => void) {
    this.system = system;
    this.iommuGroup = iommuGroup;
    this.#onClosed = onClosed;
  }

  get path(): string {
    return `/dev/vfio/${this.iommuGroup.id}`;
  }

  get container(): VfioContainer | undefined {
    return this.#container;
  }

  /** A group is viable while no driver of the host does DMA with one of its devices. @linux VFIO_GROUP_GET_STATUS */
  get status(): GroupStatus {
    const containerSet = this.#container !== undefined;
    const { bindings } = this.system;
    return { viable: containerSet || bindings.hostOwned(this.iommuGroup) === undefined, containerSet };
  }

  /**
   * @throws LinuxError EINVAL where it has a container, EPERM where it is not viable; what attaching throws, with the group
   * back where it was @linux VFIO_GROUP_SET_CONTAINER
   */
  setContainer(container: VfioContainer): void {
    if (this.#container) throw this.#error('EINVAL', 'it has a container');
    const { bindings } = this.system;
    bindings.claim(this.iommuGroup);
    try {
      container.attach(this);
    } catch (error) {
      bindings.release(this.iommuGroup);
      throw error;
    }
    this.#container = container;
  }

  /** @throws LinuxError EINVAL where it has none, EBUSY while a device is open; what detaching throws
   * @linux VFIO_GROUP_UNSET_CONTAINER */
  unsetContainer(): void {
    if (!this.#container) throw this.#error('EINVAL', 'it has no container');
    const [open] = this.#devices.keys();
    if (open) throw this.#error('EBUSY', `${open.name} is open`);
    this.#detach(this.#container);
  }

  /**
   * @returns the descriptor
   * @throws LinuxError ENODEV for a name that is none of its VFIO devices, EINVAL while there is no container with an IOMMU;
   * what the device's driver throws @linux VFIO_GROUP_GET_DEVICE_FD
   */
  getDeviceFd(name: string, process: Process): number {
    const device = this.iommuGroup.devices.find((each) => each.name === name);
    if (!device || !this.system.isBound(device)) throw this.#error('ENODEV', `no VFIO device '${name}'`);
    if (!this.#container?.hasIommu) throw this.#error('EINVAL', 'no container with an IOMMU');
    const open = this.#openDevice(device);
    this.#nrUsers++;
    return process.install(new DeviceFile(open, () => this.#put()));
  }

  isOpen(device: Device): boolean {
    return this.#devices.has(device);
  }

  ioctl(request: number, arg: IoctlArg, caller: Process): number {
    return groupIoctl(this, request, arg, caller);
  }

  release(): void {
    this.#put();
  }

  #openDevice(device: Device): OpenDevice {
    const known = this.#devices.get(device);
    if (known) return known.get();
    const open = new OpenDevice(device, this.system.driver, () => this.#devices.delete(device));
    this.#devices.set(device, open);
    return open;
  }

  #put(): void {
    this.#nrUsers--;
    if (this.#nrUsers > 0) return;
    try {
      if (this.#container) this.#detach(this.#container);
    } finally {
      this.#onClosed();
    }
  }

  #detach(container: VfioContainer): void {
    container.detach(this);
    this.#container = undefined;
    this.system.bindings.release(this.iommuGroup);
  }

  #error(code: 'EINVAL' | 'EBUSY' | 'ENODEV', message: string): LinuxError {
    return new LinuxError(code, `${this.path}: ${message}`);
  }
}
