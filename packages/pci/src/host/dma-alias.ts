// SPDX-License-Identifier: Apache-2.0
// The requester ids under which a function's requests appear. PCI Express to PCI/PCI-X Bridge 1.0 section 2.3; Linux 6.1
// drivers/pci/search.c (behaviour).

import { DEVICE_PORT_TYPE } from '../regs.js';

/** A bridge on the way up: its own id, what it is, and the bus behind it. */
export interface AliasingBridge {
  readonly id: number;
  /** Device/Port Type; undefined on a conventional bridge. */
  readonly portType: number | undefined;
  readonly secondaryBus: number;
}

/**
 * Every id, from the function's own to the one that arrives at the top; `bridges` from the function upwards.
 * @linux pci_for_each_dma_alias
 */
export function dmaAliases(id: number, bridges: readonly AliasingBridge[]): readonly number[] {
  const aliases = [id];
  for (const bridge of bridges)
    switch (bridge.portType) {
      case DEVICE_PORT_TYPE.ROOT_PORT:
      case DEVICE_PORT_TYPE.UPSTREAM_PORT:
      case DEVICE_PORT_TYPE.DOWNSTREAM_PORT:
        break;
      case DEVICE_PORT_TYPE.PCIE_TO_PCI_BRIDGE:
        aliases.push(bridge.secondaryBus * 256);
        break;
      default:
        aliases.push(bridge.id);
    }
  return aliases;
}
