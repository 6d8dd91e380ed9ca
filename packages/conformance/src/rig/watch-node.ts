// SPDX-License-Identifier: Apache-2.0
// A node of the kit's own, put before the machine's, so that the kit is probed first and sees what the others take.

import { FirmwareError } from '@irqkit/core';
import type { Firmware, FirmwareNode } from '@irqkit/core';

export const WATCH_COMPATIBLE = 'irqkit,conformance-watch';

export function withWatchNode(firmware: Firmware): Firmware {
  const watch = watchNode(firmware.root);
  return {
    root: firmware.root,
    nodes: [watch, ...firmware.nodes],
    find: (path) => (path === watch.path ? watch : firmware.find(path)),
    byPhandle: (phandle) => firmware.byPhandle(phandle),
    memory: firmware.memory,
    cpus: firmware.cpus,
  };
}

function watchNode(root: FirmwareNode): FirmwareNode {
  const path = '/irqkit-conformance';
  return {
    path,
    name: path.slice(1),
    parent: root,
    children: [],
    compatible: [WATCH_COMPATIBLE],
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
      throw new FirmwareError(path, `no reg ${index}`);
    },
    ranges: [],
    dmaRanges: [],
    interrupts: [],
    interruptParent: undefined,
    mapInterrupt: () => undefined,
    mapId: () => undefined,
    iommus: [],
  };
}
