// SPDX-License-Identifier: Apache-2.0
// Firmware nodes that have a path and nothing else.

import { FirmwareError } from '@irqkit/core';
import type { Firmware, FirmwareNode } from '@irqkit/core';

export function stubNode(path: string): FirmwareNode {
  return {
    path,
    name: path.slice(path.lastIndexOf('/') + 1),
    parent: undefined,
    children: [],
    compatible: [],
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

export function stubFirmware(): Firmware {
  return {
    root: stubNode('/'),
    nodes: [],
    find: () => undefined,
    byPhandle: () => undefined,
    memory: [],
    cpus: [0],
  };
}
