// SPDX-License-Identifier: Apache-2.0

import { Devres } from '@irqkit/core';
import type { PciDevice } from './pci-device.js';

/**
 * Puts functions behind their IOMMU, in order; those that are stay as they are.
 * @throws LinuxError as IommuCore.dmaConfigure, with none of them behind it that was not @linux pci_dma_configure
 */
export function configureDma(devices: readonly PciDevice[]): void {
  const undo = new Devres();
  try {
    for (const device of devices) {
      if (device.iommuGroup) continue;
      const { iommus } = device.host;
      iommus.dmaConfigure(device);
      undo.add(() => iommus.dmaUnconfigure(device));
    }
  } catch (error) {
    undo.releaseAll();
    throw error;
  }
}
