// SPDX-License-Identifier: Apache-2.0
// What the container half asks of the half that opens devices. Source: the behaviour of Linux 6.1 struct vfio_device_ops.

import type { Device } from '@irqkit/core';
import type { DeviceMemory, IoctlArg } from './process/open-file.js';
import type { Process } from './process/process.js';

/** A device that user space has open, once for all of its descriptors. */
export interface VfioDeviceFd {
  /** @returns what the system call returns @throws LinuxError ENOTTY for a request that is none of its own */
  ioctl(request: number, arg: IoctlArg, caller: Process): number;
  /** @returns the bytes read, up to `into.length` @throws LinuxError */
  read(offset: number, into: Uint8Array): number;
  write(offset: number, from: Uint8Array): number;
  /** @throws LinuxError EINVAL for what can not be mapped */
  mmap?(offset: number, sizeBytes: number): DeviceMemory;
  /**
   * Its last descriptor is closed: no interrupt and no DMA after this. Its MSIs are off when this returns, or the group
   * cannot leave its domain.
   */
  close(): void;
}

/** A driver that gives devices to user space, such as vfio-pci. @linux struct vfio_device_ops */
export interface VfioDeviceDriver {
  /** As sysfs shows it: `vfio-pci`. */
  readonly name: string;
  /** The first descriptor of the device. @throws LinuxError with nothing taken */
  openDevice(device: Device): VfioDeviceFd;
}
