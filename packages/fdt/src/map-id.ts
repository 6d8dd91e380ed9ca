// SPDX-License-Identifier: Apache-2.0
// Ids of a bus at its MSI controller and IOMMU. Linux's bindings pci-msi.txt and pci-iommu.txt (`msi-map`, `iommu-map`, by the
// rules of its of_map_id), msi.txt (`msi-parent`) and iommu.txt (`iommus`).

import { hex } from '@irqkit/bits';
import type { MappedId } from '@irqkit/core';
import type { FdtFirmwareNode } from './fdt-firmware-node.js';
import { MOST_ARGS } from './interrupt-parent.js';

interface IdRange {
  readonly idBase: number;
  readonly phandle: number;
  readonly outBase: number;
  readonly length: number;
  /** Index of its first cell. */
  readonly cell: number;
}

interface IdMap {
  readonly mask: number;
  readonly ranges: readonly IdRange[];
}

const ENTRY_CELLS = 4;

export function mapId(node: FdtFirmwareNode, kind: 'msi' | 'iommu', requesterId: number): MappedId | undefined {
  if (kind === 'msi') return throughMap(node, 'msi-map', requesterId) ?? throughMsiParent(node, requesterId);
  // An id that the map leaves out bypasses the IOMMU; `iommus` would be the host bridge's own.
  return node.has('iommu-map') ? throughMap(node, 'iommu-map', requesterId) : iommusOf(node).at(0);
}

function throughMap(
  node: FdtFirmwareNode,
  property: 'msi-map' | 'iommu-map',
  requesterId: number,
): MappedId | undefined {
  if (!node.has(property)) return undefined;
  const { mask, ranges } = node.once(property, () => decodeMap(node, property));
  const masked = (requesterId & mask) >>> 0;
  const range = ranges.find(({ idBase, length }) => masked >= idBase && masked < idBase + length);
  if (range === undefined) return undefined;
  return {
    controller: node.referenced(property, range.phandle, range.cell + 1),
    id: (masked - range.idBase + range.outBase) >>> 0,
  };
}

function decodeMap(node: FdtFirmwareNode, property: 'msi-map' | 'iommu-map'): IdMap {
  const cells = node.u32s(property) ?? [];
  if (cells.length === 0 || cells.length % ENTRY_CELLS !== 0)
    throw node.malformed(property, `${cells.length} cells, a multiple of ${ENTRY_CELLS} wanted`);
  const mask = node.u32(`${property}-mask`) ?? 0xffff_ffff;
  const ranges: IdRange[] = [];
  for (let cell = 0; cell < cells.length; cell += ENTRY_CELLS) {
    const [idBase, phandle, outBase, length] = cells.slice(cell, cell + ENTRY_CELLS);
    if ((idBase & ~mask) !== 0)
      throw node.malformed(property, `${property}-mask ${hex(mask)} hides bits of ${hex(idBase)}`, cell * 4);
    ranges.push({ idBase, phandle, outBase, length, cell });
  }
  return { mask, ranges };
}

// UNIMP: `#msi-cells` of more than one
const MOST_MSI_CELLS = 1;

function throughMsiParent(node: FdtFirmwareNode, requesterId: number): MappedId | undefined {
  if ((node.u32s('msi-parent') ?? []).length === 0) return undefined;
  const { controller, args } = reference(
    node,
    'msi-parent',
    0,
    (parent) => parent.cellCount('#msi-cells', MOST_MSI_CELLS) ?? 0,
  );
  return { controller, id: args.at(0) ?? requesterId };
}

/** Every entry of `iommus`. @linux of_iommu_configure_dev */
export function iommusOf(node: FdtFirmwareNode): readonly MappedId[] {
  return node.once('iommus', () => {
    const entries: MappedId[] = [];
    const nrCells = node.u32s('iommus')?.length ?? 0;
    for (let cell = 0; cell < nrCells;) {
      const { controller, args } = reference(node, 'iommus', cell, iommuCells);
      entries.push({ controller, id: args.at(0) ?? 0, args });
      cell += 1 + args.length;
    }
    return entries;
  });
}

function iommuCells(controller: FdtFirmwareNode, node: FdtFirmwareNode): number {
  const count = controller.cellCount('#iommu-cells', MOST_ARGS);
  if (count === undefined) throw node.malformed('iommus', `${controller.path} has no #iommu-cells`);
  return count;
}

/** The entry of `property` that begins at the index `cell`. */
function reference(
  node: FdtFirmwareNode,
  property: string,
  cell: number,
  countOf: (controller: FdtFirmwareNode, node: FdtFirmwareNode) => number,
): { controller: FdtFirmwareNode; args: readonly number[] } {
  const cells = node.u32s(property) ?? [];
  const controller = node.referenced(property, cells[cell], cell);
  const end = cell + 1 + countOf(controller, node);
  if (end > cells.length) throw node.malformed(property, 'the last entry is cut short', cell * 4);
  return { controller, args: cells.slice(cell + 1, end) };
}
