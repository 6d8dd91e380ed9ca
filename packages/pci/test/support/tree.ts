// SPDX-License-Identifier: Apache-2.0
// A firmware description put together by hand: no parser stands between a test and what it means.

import { FirmwareError, physAddr } from '@irqkit/core';
import type { AddressRange, Firmware, FirmwareNode, InterruptSpec, MappedId, Region } from '@irqkit/core';

export interface HandMadeNode {
  readonly path: string;
  readonly compatible: string;
  readonly regs?: readonly Region[];
  readonly cells?: Readonly<Record<string, readonly number[]>>;
  readonly ranges?: readonly AddressRange[];
  readonly mapId?: (requesterId: number) => MappedId | undefined;
  readonly mapIommu?: (requesterId: number) => MappedId | undefined;
  readonly mapInterrupt?: (unitAddress: readonly number[], args: readonly number[]) => InterruptSpec | undefined;
}

export function node(made: HandMadeNode): FirmwareNode {
  const { path, compatible, regs = [], cells = {}, ranges = [] } = made;
  return {
    path,
    name: path.slice(path.lastIndexOf('/') + 1),
    parent: undefined,
    children: [],
    compatible: [compatible],
    phandle: undefined,
    available: true,
    propertyNames: Object.keys(cells),
    has: (property) => property in cells,
    bytes: () => undefined,
    u32s: (property) => cells[property],
    u32: (property) => cells[property]?.[0],
    strings: () => undefined,
    string: () => undefined,
    regs,
    reg(index) {
      if (!regs[index]) throw new FirmwareError(path, `no reg ${index}`);
      return regs[index];
    },
    ranges,
    dmaRanges: [],
    interrupts: [],
    interruptParent: undefined,
    mapInterrupt: (unitAddress, args) => made.mapInterrupt?.(unitAddress, args),
    mapId: (kind, requesterId) => (kind === 'msi' ? made.mapId : made.mapIommu)?.(requesterId),
    iommus: [],
  };
}

export function firmware(...nodes: readonly FirmwareNode[]): Firmware {
  const root = node({ path: '/', compatible: 'test,machine' });
  const all = [root, ...nodes];
  return {
    root,
    nodes: all,
    find: (path) => all.find((candidate) => candidate.path === path),
    byPhandle: () => undefined,
    memory: [],
    cpus: [0],
  };
}

export const region = (base: number, sizeBytes: number): Region => ({ base: physAddr(base), sizeBytes });

/** The windows of QEMU's virt machine, as its devicetree has them. */
export const VIRT_RANGES: readonly AddressRange[] = [
  { flags: 0x0100_0000, childBase: 0, parentBase: physAddr(0x3eff_0000), sizeBytes: 0x1_0000 },
  { flags: 0x0200_0000, childBase: 0x1000_0000, parentBase: physAddr(0x1000_0000), sizeBytes: 0x2eff_0000 },
  { flags: 0x0300_0000, childBase: 0x80_0000_0000, parentBase: physAddr(0x80_0000_0000), sizeBytes: 0x80_0000_0000 },
];
export const VIRT_ECAM = region(0x40_1000_0000, 0x1000_0000);
