// SPDX-License-Identifier: Apache-2.0

import type { PciDevice } from './pci-device.js';

/** A bus as enumeration found it. @linux struct pci_bus */
export interface PciBus {
  readonly number: number;
  /** The bridge it lies behind; undefined for a root bus. */
  readonly bridge: PciDevice | undefined;
  /** Ascending by device and function. */
  readonly devices: readonly PciDevice[];
}
