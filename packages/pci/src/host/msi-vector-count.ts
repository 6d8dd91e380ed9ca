// SPDX-License-Identifier: Apache-2.0
// How many messages functions are capable of, alone and together. Linux 6.1 drivers/irqchip/irq-gic-v3-its-pci-msi.c (behaviour).

import { CAP_ID, MSI_Message_Control, MSIX_Message_Control } from '../regs.js';
import type { PciDevice } from './pci-device.js';

/** The most messages this function can have; 0 without a capability. @linux its_pci_msi_vec_count */
function vectorCount(device: PciDevice): number {
  const msi = device.findCapability(CAP_ID.MSI);
  const msix = device.findCapability(CAP_ID.MSIX);
  return Math.max(
    msi === undefined
      ? 0
      : 2 ** MSI_Message_Control.Multiple_Message_Capable(device.config.get(MSI_Message_Control, msi)),
    msix === undefined ? 0 : MSIX_Message_Control.Table_Size(device.config.get(MSIX_Message_Control, msix)) + 1,
  );
}

/** For each requester id that functions share, the messages that all of them can have together. */
export function aliasVectorCounts(devices: readonly PciDevice[]): ReadonlyMap<number, number> {
  const shared = new Map<number, number>();
  for (const { id, requesterId } of devices) if (requesterId !== id) shared.set(requesterId, 0);
  for (const device of devices) {
    const sum = shared.get(device.requesterId);
    if (sum !== undefined) shared.set(device.requesterId, sum + vectorCount(device));
  }
  return shared;
}
