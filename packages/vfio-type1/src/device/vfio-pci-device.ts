// SPDX-License-Identifier: Apache-2.0
// A PCI function in the hands of user space, from its first descriptor to its last. Source: the behaviour of Linux 6.1
// drivers/vfio/pci/vfio_pci_core.c.
// UNIMP: VFIO_DEVICE_PCI_HOT_RESET, VFIO_DEVICE_IOEVENTFD and VFIO_DEVICE_FEATURE

import { Devres, LinuxError } from '@irqkit/core';
import type { Bus, DeviceList, IrqCore } from '@irqkit/core';
import type { PciDevice } from '@irqkit/pci/host';
import { putHotResetInfo } from '../abi/device-hot-reset-info.js';
import type { DependentDevice } from '../abi/device-hot-reset-info.js';
import { DEVICE_FLAGS, IRQ_INFO_FLAGS, putDeviceInfo, putIrqInfo } from '../abi/device-info.js';
import type { IrqInfo } from '../abi/device-info.js';
import { readIrqSet } from '../abi/device-irq-set.js';
import { REGION_FLAGS, putRegionInfo } from '../abi/device-region-info.js';
import type { RegionInfo } from '../abi/device-region-info.js';
import { IRQ_INDEX, NUM_IRQS, NUM_REGIONS, REGION_BYTES, REGION_INDEX } from '../abi/device-requests.js';
import {
  VFIO_DEVICE_GET_INFO,
  VFIO_DEVICE_GET_IRQ_INFO,
  VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
  VFIO_DEVICE_GET_REGION_INFO,
  VFIO_DEVICE_RESET,
  VFIO_DEVICE_SET_IRQS,
} from '../abi/requests.js';
import type { VfioDeviceFd } from '../device-driver.js';
import type { DeviceMemory, IoctlArg } from '../process/open-file.js';
import { BarRegions } from './bar-regions.js';
import { VirtualConfig } from './config/virtual-config.js';
import { dependentDevices } from './dependent-devices.js';
import { DeviceInterrupts } from './interrupts/device-interrupts.js';
import type { EventFds } from './interrupts/event-fds.js';
import { canReset, resetFunction, saveState } from './reset.js';

/** What of a host the devices are opened with. */
export interface VfioPciHost {
  readonly irqs: IrqCore;
  readonly devices: DeviceList;
  readonly bus: Bus;
}

export class VfioPciDevice implements VfioDeviceFd {
  readonly #device: PciDevice;
  readonly #host: VfioPciHost;
  readonly #resets: boolean;
  readonly #interrupts: DeviceInterrupts;
  readonly #config: VirtualConfig;
  readonly #bars: BarRegions;
  readonly #devres = new Devres();

  /** Decoding on, bus mastering off, reset where it can be. @throws LinuxError, with the function as it was @linux vfio_pci_core_enable */
  constructor(device: PciDevice, host: VfioPciHost) {
    this.#device = device;
    this.#host = host;
    device.enableDecoding();
    this.#devres.add(() => device.disable());
    try {
      this.#resets = canReset(device);
      if (this.#resets) resetFunction(device);
      const restore = saveState(device);
      this.#devres.add(() => {
        if (this.#resets) resetFunction(device);
        restore();
      });
      this.#interrupts = new DeviceInterrupts(device, host.irqs);
      this.#config = new VirtualConfig(device, {
        intxDisabled: (disabled) => this.#interrupts.setIntxDisabled(disabled),
        msiLog2Vectors: () => this.#interrupts.msiLog2Vectors,
      });
      this.#bars = new BarRegions(device, host.bus);
    } catch (error) {
      this.#devres.releaseAll();
      throw error;
    }
    this.#devres.add(() => this.#bars.release());
    this.#devres.add(() => this.#interrupts.release());
    this.#devres.add(() => device.disable());
  }

  ioctl(request: number, arg: IoctlArg, caller: EventFds): number {
    const { name } = this.#device;
    switch (request) {
      case VFIO_DEVICE_GET_INFO:
        putDeviceInfo(name, arg, () => ({
          flags: DEVICE_FLAGS.PCI | (this.#resets ? DEVICE_FLAGS.RESET : 0),
          numRegions: NUM_REGIONS,
          numIrqs: NUM_IRQS,
        }));
        return 0;
      case VFIO_DEVICE_GET_REGION_INFO:
        putRegionInfo(name, arg, (index) => this.#regionInfo(index));
        return 0;
      case VFIO_DEVICE_GET_IRQ_INFO:
        putIrqInfo(name, arg, (index) => this.#irqInfo(index));
        return 0;
      case VFIO_DEVICE_SET_IRQS:
        return this.#interrupts.set(
          readIrqSet(name, arg, (index) => this.#interrupts.count(index)),
          caller,
        );
      case VFIO_DEVICE_RESET:
        return this.#reset();
      case VFIO_DEVICE_GET_PCI_HOT_RESET_INFO:
        putHotResetInfo(name, arg, () => this.#hotResetInfo());
        return 0;
      default:
        throw new LinuxError('ENOTTY', `${name}: ioctl 0x${request.toString(16)}`);
    }
  }

  /** @throws LinuxError EINVAL, EFAULT beyond configuration space, EIO while memory decoding is off */
  read(offset: number, into: Uint8Array): number {
    const { index, at } = regionAt(offset);
    if (into.length === 0) return 0;
    if (index === REGION_INDEX.CONFIG) return this.#config.read(at, into);
    this.#checkBar(index);
    return this.#bars.read(index, at, into);
  }

  write(offset: number, from: Uint8Array): number {
    const { index, at } = regionAt(offset);
    if (from.length === 0) return 0;
    if (index === REGION_INDEX.CONFIG) return this.#config.write(at, from);
    this.#checkBar(index);
    return this.#bars.write(index, at, from);
  }

  /** CHOICE: it stays mapped while user space has memory decoding off; Linux lets accesses fault until it is on again. */
  mmap(offset: number, sizeBytes: number): DeviceMemory {
    const { index, at } = regionAt(offset);
    return this.#bars.mmap(index, at, sizeBytes);
  }

  /** Bus mastering goes first, so that nothing is on its way when interrupts go. @linux vfio_pci_core_disable */
  close(): void {
    this.#devres.releaseAll();
  }

  #regionInfo(index: number): RegionInfo {
    const flags = REGION_FLAGS.READ | REGION_FLAGS.WRITE;
    if (index === REGION_INDEX.CONFIG) return { sizeBytes: this.#config.sizeBytes, flags };
    if (index === REGION_INDEX.ROM) return { sizeBytes: 0, flags: 0 };
    if (index > REGION_INDEX.BAR5) throw new LinuxError('EINVAL', `${this.#device.name}: no region ${index}`);
    return this.#bars.info(index);
  }

  #irqInfo(index: number): IrqInfo {
    const count = this.#interrupts.count(index);
    if (index >= NUM_IRQS || (index === IRQ_INDEX.ERR && count === 0))
      throw new LinuxError('EINVAL', `${this.#device.name}: no interrupt index ${index}`);
    const { EVENTFD, MASKABLE, AUTOMASKED, NORESIZE } = IRQ_INFO_FLAGS;
    return { flags: EVENTFD | (index === IRQ_INDEX.INTX ? MASKABLE | AUTOMASKED : NORESIZE), count };
  }

  #reset(): number {
    if (!this.#resets) throw new LinuxError('EINVAL', `${this.#device.name}: it has no way to be reset`);
    resetFunction(this.#device);
    return 0;
  }

  #hotResetInfo(): { readonly count: number; readonly devices: () => readonly DependentDevice[] } {
    const devices = dependentDevices(this.#device, this.#host.devices);
    return {
      count: devices.length,
      devices: () =>
        devices.map(({ name, iommuGroup, host, id }) => {
          if (!iommuGroup) throw new LinuxError('EPERM', `${name}: no iommu group`);
          return { groupId: iommuGroup.id, segment: host.domain, bus: id >>> 8, devfn: id & 0xff };
        }),
    };
  }

  #checkBar(index: number): void {
    if (index > REGION_INDEX.BAR5) throw new LinuxError('EINVAL', `${this.#device.name}: no region ${index}`);
    if (!this.#config.memoryEnabled) throw new LinuxError('EIO', `${this.#device.name}: memory decoding is off`);
  }
}

/** @linux VFIO_PCI_OFFSET_TO_INDEX */
function regionAt(offset: number): { readonly index: number; readonly at: number } {
  const index = Math.floor(offset / REGION_BYTES);
  return { index, at: offset - index * REGION_BYTES };
}
