// SPDX-License-Identifier: Apache-2.0
// `ranges` and `dma-ranges`, and addresses through them up to the CPU: Devicetree Specification v0.4, sections 2.3.8 and 2.3.9.
// Where it leaves things open, as Linux's of_translate_address: the first range that holds an address's first byte decides.

import { physAddr } from '@irqkit/core';
import type { AddressRange } from '@irqkit/core';
import { above, addressCells, distance, readAddress, readSize, sizeCells, toNumber } from './bus-address.js';
import type { BusAddress } from './bus-address.js';
import type { FdtFirmwareNode } from './fdt-firmware-node.js';

export type RangesProperty = 'ranges' | 'dma-ranges';

/** An entry as it stands in the property, in the addresses of the two buses it joins. */
interface RawRange {
  readonly child: BusAddress;
  readonly parent: BusAddress;
  readonly sizeBytes: number;
  /** Index of its first cell. */
  readonly cell: number;
  /** Cells of the child address. */
  readonly childCells: number;
}

/** More entries than any board has: every translation may have to look at all of them. */
const MOST_RANGES = 1024;

/** The entries of a bus's property, as the CPU sees them; those that no parent translates are left out. */
export function rangesOf(bus: FdtFirmwareNode, property: RangesProperty): readonly AddressRange[] {
  const ranges: AddressRange[] = [];
  for (const { child, parent, sizeBytes, cell, childCells } of rawRanges(bus, property) ?? []) {
    const base = toCpu(bus.parent, parent, property);
    if (base === undefined) continue;
    ranges.push({
      flags: child.flags,
      childBase: toNumber(child, bus, property, cell),
      parentBase: physAddr(toNumber(base, bus, property, cell + childCells)),
      sizeBytes,
    });
  }
  return ranges;
}

/** Where an address that children of `bus` use lies for the CPU; undefined where a bus on the way does not pass it on. */
export function toCpu(
  bus: FdtFirmwareNode | undefined,
  address: BusAddress,
  property: RangesProperty,
): BusAddress | undefined {
  let at = address;
  for (let node = bus; node?.parent !== undefined; node = node.parent) {
    const ranges = rawRanges(node, property);
    // Without `ranges` a bus is not mapped; without `dma-ranges` devices see what their parent sees.
    if (ranges === undefined && property === 'ranges') return undefined;
    if (ranges === undefined || ranges.length === 0) continue;
    const compares = isPci(node) ? sameSpace : sameFlags;
    const range = ranges.find(({ child, sizeBytes }) => {
      const offset = distance(at, child);
      return offset >= 0 && offset < sizeBytes && compares(at.flags, child.flags);
    });
    if (range === undefined) return undefined;
    at = above(range.parent, distance(at, range.child));
  }
  return at;
}

function rawRanges(bus: FdtFirmwareNode, property: RangesProperty): readonly RawRange[] | undefined {
  const { parent } = bus;
  if (parent === undefined || !bus.has(property)) return undefined;
  return bus.once(property, () => decodeRanges(bus, parent, property));
}

function decodeRanges(bus: FdtFirmwareNode, parentBus: FdtFirmwareNode, property: RangesProperty): readonly RawRange[] {
  const cells = bus.u32s(property) ?? [];
  const childCells = addressCells(bus);
  const parentCells = addressCells(parentBus);
  const size = sizeCells(bus);
  const stride = childCells + parentCells + size;
  if (cells.length === 0) return [];
  if (stride === 0 || cells.length % stride !== 0)
    throw bus.malformed(property, `${cells.length} cells, a multiple of ${stride} wanted`);
  if (cells.length / stride > MOST_RANGES)
    throw bus.malformed(property, `${cells.length / stride} entries, at most ${MOST_RANGES} wanted`);
  const ranges: RawRange[] = [];
  for (let cell = 0; cell < cells.length; cell += stride)
    ranges.push({
      child: readAddress(cells, cell, childCells),
      parent: readAddress(cells, cell + childCells, parentCells),
      sizeBytes: readSize(cells, cell + childCells + parentCells, size),
      cell,
      childCells,
    });
  return ranges;
}

/** @linux of_bus_pci_match */
function isPci(bus: FdtFirmwareNode): boolean {
  return bus.equals('device_type', 'pci') || bus.equals('device_type', 'pciex') || bus.isCalled('pcie');
}

function sameFlags(a: number, b: number): boolean {
  return a === b;
}

// phys.hi [25:24], ss: 0 configuration, 1 I/O, 2 and 3 memory (IEEE 1275 PCI bus binding, section 2.2.1.1).
function sameSpace(a: number, b: number): boolean {
  return PCI_SPACE[(a >>> 24) & 3] === PCI_SPACE[(b >>> 24) & 3];
}

const PCI_SPACE = ['configuration', 'I/O', 'memory', 'memory'] as const;
