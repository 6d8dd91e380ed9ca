// SPDX-License-Identifier: Apache-2.0
// The group that a function must join because PCI does not keep it apart from a member: by aliases, on the way up to the root
// bus, and beside it in its slot. Linux 6.1 drivers/iommu/iommu.c, pci_device_group (behaviour).
// UNIMP: DMA alias quirks

import type { IommuGroup } from '@irqkit/core';
import { isIsolated } from './acs.js';
import type { AcsFunction } from './acs.js';
import { isAliasing } from './dma-alias.js';

/** A function, as far as grouping goes. */
export interface GroupedFunction extends AcsFunction {
  /** The bridges from here to the root bus. */
  readonly bridgesAbove: readonly GroupedFunction[];
  /** The functions of its device, itself among them. */
  readonly slot: readonly GroupedFunction[];
  readonly iommuGroup: IommuGroup | undefined;
}

/** Undefined where the function starts a group. @linux pci_device_group */
export function pciDeviceGroup(device: GroupedFunction): IommuGroup | undefined {
  const { bridgesAbove } = device;
  let reached = 0;
  for (const [index, bridge] of bridgesAbove.entries()) {
    if (!isAliasing(bridge)) continue;
    if (bridge.iommuGroup) return bridge.iommuGroup;
    reached = index + 1;
  }
  while (reached < bridgesAbove.length && !isIsolatedUpwards(bridgesAbove[reached])) {
    const { iommuGroup } = bridgesAbove[reached++];
    if (iommuGroup) return iommuGroup;
  }
  return slotGroup(reached === 0 ? device : bridgesAbove[reached - 1]);
}

/** @linux pci_acs_path_enabled */
function isIsolatedUpwards(bridge: GroupedFunction): boolean {
  return [bridge, ...bridge.bridgesAbove].every(isIsolated);
}

/** Functions of one device reach each other inside it. @linux get_pci_function_alias_group */
function slotGroup(device: GroupedFunction): IommuGroup | undefined {
  if (!device.isMultiFunction || isIsolated(device)) return undefined;
  return device.slot.find((other) => other !== device && other.iommuGroup && !isIsolated(other))?.iommuGroup;
}
