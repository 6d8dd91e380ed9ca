// SPDX-License-Identifier: Apache-2.0
// Nodes of the kit's own in a machine's firmware.

import { FirmwareError } from '@irqkit/core';
import type { Firmware, FirmwareNode } from '@irqkit/core';

/** A child of the root that has nothing but what `content` gives it. */
export function ownNode(
  root: FirmwareNode,
  name: string,
  compatible: string,
  content: Partial<FirmwareNode> = {},
): FirmwareNode {
  const path = `/${name}`;
  return {
    path,
    name,
    parent: root,
    children: [],
    compatible: [compatible],
    phandle: undefined,
    available: true,
    has: () => false,
    propertyNames: [],
    bytes: () => undefined,
    u32s: () => undefined,
    u32: () => undefined,
    strings: () => undefined,
    string: () => undefined,
    regs: [],
    reg(index) {
      const region = this.regs[index];
      if (!region) throw new FirmwareError(path, `no reg ${index}`);
      return region;
    },
    ranges: [],
    dmaRanges: [],
    interrupts: [],
    interruptParent: undefined,
    mapInterrupt: () => undefined,
    mapId: () => undefined,
    iommus: [],
    ...content,
  };
}

/** The firmware with nodes put before its own, so that they are probed first. */
export function withOwnNodes(firmware: Firmware, own: readonly FirmwareNode[]): Firmware {
  return {
    root: firmware.root,
    nodes: [...own, ...firmware.nodes],
    find: (path) => own.find((node) => node.path === path) ?? firmware.find(path),
    byPhandle: (phandle) => firmware.byPhandle(phandle),
    memory: firmware.memory,
    cpus: firmware.cpus,
  };
}
