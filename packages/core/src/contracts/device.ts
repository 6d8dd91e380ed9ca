// SPDX-License-Identifier: Apache-2.0
// A device as the frameworks see it, whatever its bus.

import type { IrqDomain } from '../irq/irq-domain.js';
import type { MsiDesc } from '../msi/msi-desc.js';
import type { MsiDoorbellInfo } from './doorbell.js';
import type { FirmwareNode, MappedId } from './firmware.js';
import type { IommuGroup, IovaRange } from './iommu.js';
import type { Iova, PhysAddr } from './address.js';

/** Stands between a device's MSIs and their doorbells where an IOMMU translates them. */
export interface MsiTranslation {
  /** Makes the doorbell reachable for this device; counted. May allocate. @throws LinuxError */
  bind(doorbell: MsiDoorbellInfo): void;
  /** Takes one `bind` back. */
  unbind(doorbell: MsiDoorbellInfo): void;
  /** The bound IOVA of a doorbell address; undefined where there is no binding. Never allocates or waits. */
  iovaOf(pa: PhysAddr): Iova | undefined;
}

export interface Device {
  /** `0000:00:02.0`, or a node's path. */
  readonly name: string;
  readonly node: FirmwareNode | undefined;
  /** The id its accesses carry on its bus, aliases resolved. */
  readonly requesterId: number;
  /** The id its MSI controller knows it by. */
  readonly msiDeviceId: number;
  /**
   * How many vectors all devices with its msiDeviceId can have together; missing where the id is its own.
   * @linux its_pci_msi_vec_count
   */
  readonly msiAliasVectors?: number;
  /** Where its MSIs are allocated; undefined where it can have none. */
  readonly msiDomain: IrqDomain | undefined;
  /** Where its DMA goes: its IOMMU with every id its requests have there; missing or empty where it has none. */
  readonly iommuIds?: readonly MappedId[];
  /** Addresses that its bus answers, so that its IOMMU never sees them: a PCI host bridge's windows. @linux iova_reserve_pci_windows */
  readonly untranslatedRanges?: readonly IovaRange[];
  /** The group it must join because its bus does not keep it apart from a member; its own where none. @linux pci_device_group */
  busGroup?(): IommuGroup | undefined;
  /** Set by the IOMMU framework. */
  iommuGroup: IommuGroup | undefined;
  /** Set by the IOMMU framework; undefined where messages reach the bus untranslated: no IOMMU, identity, bypass. */
  msiTranslation: MsiTranslation | undefined;
  /** Its vectors while MSI is enabled, ascending by index. */
  readonly msiDescs: MsiDesc[];
}
