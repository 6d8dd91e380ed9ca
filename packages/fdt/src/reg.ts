// SPDX-License-Identifier: Apache-2.0
// `reg` as the CPU sees it: Devicetree Specification v0.4, section 2.3.6.

import { hex } from '@irqkit/bits';
import { physAddr } from '@irqkit/core';
import type { Region } from '@irqkit/core';
import { ADDRESS_LIMIT, addressCells, readAddress, readSize, sizeCells, toNumber } from './bus-address.js';
import type { FdtFirmwareNode } from './fdt-firmware-node.js';
import { toCpu } from './ranges.js';

/** More entries than any board has: each may have to be compared with every range above it. */
const MOST_REGS = 1024;

interface RegCells {
  readonly cells: readonly number[];
  readonly addressCells: number;
  readonly sizeCells: number;
  readonly count: number;
}

/** The entries that every bus above passes on. */
export function regsOf(node: FdtFirmwareNode): readonly Region[] {
  const regs: Region[] = [];
  const reg = regCells(node);
  for (let index = 0; index < reg.count; index++) {
    const region = regionAt(node, reg, index);
    if (region !== undefined) regs.push(region);
  }
  return regs;
}

/** @throws FirmwareError where the property has no such entry, or no bus above passes it on. */
export function regAt(node: FdtFirmwareNode, index: number): Region {
  const reg = regCells(node);
  if (!Number.isInteger(index) || index < 0 || index >= reg.count)
    throw node.malformed('reg', `no entry ${index} among ${reg.count}`);
  const region = regionAt(node, reg, index);
  if (region === undefined) throw node.malformed('reg', `entry ${index} is not mapped for the CPU`);
  return region;
}

function regCells(node: FdtFirmwareNode): RegCells {
  const cells = node.u32s('reg') ?? [];
  if (node.parent === undefined || cells.length === 0) return { cells, addressCells: 0, sizeCells: 0, count: 0 };
  const address = addressCells(node.parent);
  const size = sizeCells(node.parent);
  const stride = address + size;
  if (stride === 0 || cells.length % stride !== 0)
    throw node.malformed('reg', `${cells.length} cells, a multiple of ${stride} wanted`);
  const count = cells.length / stride;
  if (count > MOST_REGS) throw node.malformed('reg', `${count} entries, at most ${MOST_REGS} wanted`);
  return { cells, addressCells: address, sizeCells: size, count };
}

function regionAt(node: FdtFirmwareNode, reg: RegCells, index: number): Region | undefined {
  // On a bus without sizes `reg` is an id or a chip select, not memory (Linux's OF_CHECK_COUNTS).
  if (reg.sizeCells === 0) return undefined;
  const at = index * (reg.addressCells + reg.sizeCells);
  const address = toCpu(node.parent, readAddress(reg.cells, at, reg.addressCells), 'ranges');
  if (address === undefined) return undefined;
  const base = toNumber(address, node, 'reg', at);
  const sizeBytes = readSize(reg.cells, at + reg.addressCells, reg.sizeCells);
  if (base + sizeBytes > ADDRESS_LIMIT)
    throw node.malformed('reg', `${hex(sizeBytes)} bytes at ${hex(base)} end beyond 2^52`, (at + reg.addressCells) * 4);
  return { base: physAddr(base), sizeBytes };
}
