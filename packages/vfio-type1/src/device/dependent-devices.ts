// SPDX-License-Identifier: Apache-2.0

import { LinuxError } from '@irqkit/core';
import type { DeviceList } from '@irqkit/core';
import { PciDevice } from '@irqkit/pci/host';

/**
 * The functions that a reset of the bus of `device` would hit: all below the bridge above it.
 * @throws LinuxError ENODEV on a root bus, which cannot be reset @linux vfio_pci_for_each_slot_or_bus
 */
export function dependentDevices(device: PciDevice, { all }: DeviceList): readonly PciDevice[] {
  const bridge = device.parentBridge;
  if (!bridge) throw new LinuxError('ENODEV', `${device.name}: its bus cannot be reset`);
  return all.filter((other): other is PciDevice => other instanceof PciDevice && other.bridgesAbove.includes(bridge));
}
