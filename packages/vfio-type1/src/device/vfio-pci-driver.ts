// SPDX-License-Identifier: Apache-2.0

import { LinuxError } from '@irqkit/core';
import type { Device } from '@irqkit/core';
import { PciDevice } from '@irqkit/pci/host';
import type { VfioDeviceDriver } from '../device-driver.js';
import { VfioPciDevice } from './vfio-pci-device.js';
import type { VfioPciHost } from './vfio-pci-device.js';

/** Gives PCI functions to user space. `host` has what their configuration and interrupts need, `bus` their BARs. */
export class VfioPciDriver implements VfioDeviceDriver {
  readonly name = 'vfio-pci';
  readonly #host: VfioPciHost;

  constructor(host: VfioPciHost) {
    this.#host = host;
  }

  /** @throws LinuxError EINVAL for what is no PCI endpoint; as PciDevice.enableDecoding @linux vfio_pci_open_device */
  openDevice(device: Device): VfioPciDevice {
    if (!(device instanceof PciDevice) || device.isBridge)
      throw new LinuxError('EINVAL', `${device.name}: no PCI function with a type 0 header`);
    return new VfioPciDevice(device, this.#host);
  }
}
