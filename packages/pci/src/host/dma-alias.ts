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

/** True for a bridge that puts an id of its own on requests from behind it. PCI Express ports leave the requester's. */
export function isAliasing({ portType }: Pick<AliasingBridge, 'portType'>): boolean {
  return (
    portType !== DEVICE_PORT_TYPE.ROOT_PORT &&
    portType !== DEVICE_PORT_TYPE.UPSTREAM_PORT &&
    portType !== DEVICE_PORT_TYPE.DOWNSTREAM_PORT
  );
}

/**
 * Every id, from the function's own to the one that arrives at the top; `bridges` from the function upwards.
 * @linux pci_for_each_dma_alias
 */
export function dmaAliases(id: number, bridges: readonly AliasingBridge[]): readonly number[] {
  return [id, ...bridges.filter(isAliasing).map(aliasOf)];
}

function aliasOf({ id, portType, secondaryBus }: AliasingBridge): number {
  return portType === DEVICE_PORT_TYPE.PCIE_TO_PCI_BRIDGE ? secondaryBus * 256 : id;
}
