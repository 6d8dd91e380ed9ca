// SPDX-License-Identifier: Apache-2.0

import type { Bus, FirmwareNode, IommuCore, IovaRange, IrqCore, PhysAddr } from '@irqkit/core';
import type { Ecam } from './ecam.js';
import type { PciDevice } from './pci-device.js';

/** What the functions of one host bridge share. @linux struct pci_host_bridge */
export interface PciHostBridge {
  readonly node: FirmwareNode;
  /** The PCI domain (segment) number. */
  readonly domain: number;
  readonly ecam: Ecam;
  readonly bus: Bus;
  readonly irqs: IrqCore;
  readonly iommus: IommuCore;
  /** The memory windows, as addresses of the PCI bus. */
  readonly memoryWindows: readonly IovaRange[];
  /** The functions of the device that the function with this id belongs to. */
  slotOf(id: number): readonly PciDevice[];
  /** Where a memory address of the PCI bus is for processors; undefined outside the host bridge's windows. */
  toCpu(address: number): PhysAddr | undefined;
  warn(message: string): void;
}
