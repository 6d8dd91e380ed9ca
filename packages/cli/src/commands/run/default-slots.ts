// SPDX-License-Identifier: Apache-2.0
// What `irqkit run` plugs into every host bridge: each way a device can have messages, behind each kind of bridge.

import { PciEndpoint, configImage, eduLike, nicLike, nvmeLike, pciePciBridge, rootPort } from '@irqkit/pci/model';
import type { PciSlot } from '@irqkit/pci/model';

const NVME_VECTORS = 33;
const NIC_VECTORS = 5;
const MULTI_MSI_VECTORS = 8;

/** A device with a block of messages and nothing else, to show multi-message MSI. */
function multiMsiLike(): PciEndpoint {
  const image = configImage({
    vendorId: 0x1b36,
    deviceId: 0x0005,
    classCode: 0x00ff00,
    interruptPin: 1,
    msi: { vectors: MULTI_MSI_VECTORS, maskable: true },
  });
  return new PciEndpoint(image, []);
}

export function defaultSlots(): readonly PciSlot[] {
  return [
    { device: 1, model: rootPort(), behind: [{ device: 0, model: nvmeLike({ vectors: NVME_VECTORS }) }] },
    { device: 2, model: nicLike({ vectors: NIC_VECTORS }) },
    { device: 3, model: multiMsiLike() },
    { device: 4, model: pciePciBridge(), behind: [{ device: 1, model: eduLike() }] },
  ];
}
