// SPDX-License-Identifier: Apache-2.0
// Firmware nodes written by hand: cells in, the getters that a GICv3 reads out.

import { FirmwareError, physAddr } from '@irqkit/core';
import type { Firmware, FirmwareNode, MappedId, Region } from '@irqkit/core';

export interface NodeFacts {
  readonly path: string;
  readonly compatible?: readonly string[];
  /** Base and size, one after the other. */
  readonly reg?: readonly number[];
  readonly cells?: Readonly<Record<string, readonly number[]>>;
  readonly parent?: FirmwareNode;
  readonly mapId?: (requesterId: number) => MappedId;
}

export function node(facts: NodeFacts): FirmwareNode {
  const { path, cells = {}, reg = [] } = facts;
  const regs: Region[] = [];
  for (let i = 0; i < reg.length; i += 2) regs.push({ base: physAddr(reg[i]), sizeBytes: reg[i + 1] });
  return {
    path,
    name: path.slice(path.lastIndexOf('/') + 1),
    parent: facts.parent,
    children: [],
    compatible: facts.compatible ?? [],
    phandle: undefined,
    available: true,
    has: (property) => property in cells,
    propertyNames: Object.keys(cells),
    bytes: (property) => (property in cells ? new Uint8Array(cells[property].length * 4) : undefined),
    u32s: (property) => cells[property],
    u32: (property) => cells[property]?.[0],
    strings: () => undefined,
    string: () => undefined,
    regs,
    reg(index) {
      if (!(index in regs)) throw new FirmwareError(path, `no reg ${index}`);
      return regs[index];
    },
    ranges: [],
    dmaRanges: [],
    interrupts: [],
    interruptParent: undefined,
    mapInterrupt: () => undefined,
    mapId: (kind, id) => (kind === 'msi' ? facts.mapId?.(id) : undefined),
    iommus: [],
  };
}

export function firmwareOf(...nodes: readonly FirmwareNode[]): Firmware {
  const root = node({ path: '/' });
  return {
    root,
    nodes: [root, ...nodes],
    find: (path) => nodes.find((each) => each.path === path),
    byPhandle: () => undefined,
    memory: [],
    cpus: [],
  };
}
