// SPDX-License-Identifier: Apache-2.0
// Requester ids at MSI controllers and IOMMUs: Linux's bindings pci-msi.txt, pci-iommu.txt, msi.txt and iommu.txt.

import type { FirmwareNode } from '@irqkit/core';
import { firmwareFromFdt, writeFdt } from '@irqkit/fdt';
import { firmwareErrorOf } from './firmware-error.js';
import { cells, node, none, tree } from './tree.js';

const ITS = 1;
const V2M = 2;
const SMMU = 3;
const MMU = 4;

const find = (properties: Record<string, Uint8Array>): FirmwareNode => {
  const blob = writeFdt(
    tree(
      {},
      node('d', properties),
      node('its', { phandle: cells(ITS), '#msi-cells': cells(1) }),
      node('v2m', { phandle: cells(V2M) }),
      node('smmu', { phandle: cells(SMMU), '#iommu-cells': cells(1) }),
      node('mmu', { phandle: cells(MMU), '#iommu-cells': cells(0) }),
      node('smmu2', { phandle: cells(5), '#iommu-cells': cells(2) }),
      node('its2', { phandle: cells(6), '#msi-cells': cells(2) }),
    ),
  );
  return firmwareFromFdt(blob).root.children[0];
};
const mapped = (node: FirmwareNode, kind: 'msi' | 'iommu', ...ids: number[]): unknown =>
  ids.map((id) => {
    const to = node.mapId(kind, id);
    return to && [to.controller.path, to.id];
  });

describe.each([
  ['msi-map', 'msi', ITS, '/its'],
  ['iommu-map', 'iommu', SMMU, '/smmu'],
] as const)('%s', (property, kind, phandle, controller) => {
  test('an id in [rid-base, rid-base + length) goes to base + distance', () => {
    const node = find({ [property]: cells(0x100, phandle, 0x9000, 0x10, 0x200, phandle, 0, 0x100) });
    expect(mapped(node, kind, 0xff, 0x100, 0x10f, 0x110, 0x1ff, 0x200, 0x2ff, 0x300)).toEqual([
      undefined,
      [controller, 0x9000],
      [controller, 0x900f],
      undefined,
      undefined,
      [controller, 0],
      [controller, 0xff],
      undefined,
    ]);
  });

  test('the id is masked first', () => {
    // The binding's example: functions of a device look like function 0.
    const node = find({ [property]: cells(0, phandle, 0, 0x10000), [`${property}-mask`]: cells(0xfff8) });
    expect(mapped(node, kind, 0x0c, 0xffff)).toEqual([
      [controller, 0x08],
      [controller, 0xfff8],
    ]);
  });

  test('of entries that overlap the first counts; one of length 0 never does', () => {
    const node = find({ [property]: cells(5, phandle, 0, 0, 0, phandle, 0x100, 0x10, 0, phandle, 0x200, 0x20) });
    expect(mapped(node, kind, 5, 0x11)).toEqual([
      [controller, 0x105],
      [controller, 0x211],
    ]);
  });

  test('all 32 bits', () => {
    const node = find({ [property]: cells(0xffff_ff00, phandle, 0xffff_fff0, 0x100) });
    expect(mapped(node, kind, 0xffff_ff0f, 0xffff_ffff)).toEqual([
      [controller, 0xffff_ffff],
      [controller, 0xef],
    ]);
  });

  test('malformed', () => {
    const of = (map: Uint8Array, more = {}): string =>
      firmwareErrorOf(() => find({ [property]: map, ...more }).mapId(kind, 0));
    expect(of(cells(0, phandle, 0))).toBe(`/d ${property}: 3 cells, a multiple of 4 wanted (at 0x54)`);
    expect(of(none)).toBe(`/d ${property}: 0 cells, a multiple of 4 wanted (at 0x54)`);
    expect(of(cells(0, 77, 0, 1))).toBe(`/d ${property}: no node has phandle 0x4d (at 0x58)`);
    expect(of(cells(0, phandle, 0, 1), { [`${property}-mask`]: none })).toBe(
      `/d ${property}-mask: 0 bytes, one cell wanted (at 0x70)`,
    );
    expect(of(cells(0, phandle, 0, 1, 9, phandle, 0, 1), { [`${property}-mask`]: cells(0xf8) })).toBe(
      `/d ${property}: ${property}-mask 0xf8 hides bits of 0x9 (at 0x64)`,
    );
  });
});

describe('msi-parent', () => {
  test('without id cells passes the id on', () => {
    expect(mapped(find({ 'msi-parent': cells(V2M) }), 'msi', 0x123)).toEqual([['/v2m', 0x123]]);
  });

  test('with an id cell gives that id, of the first entry', () => {
    expect(mapped(find({ 'msi-parent': cells(ITS, 0x40, V2M) }), 'msi', 0x123)).toEqual([['/its', 0x40]]);
  });

  test('takes what msi-map leaves out', () => {
    const node = find({ 'msi-map': cells(0, ITS, 0x800, 0x100), 'msi-parent': cells(V2M) });
    expect(mapped(node, 'msi', 0xff, 0x100)).toEqual([
      ['/its', 0x8ff],
      ['/v2m', 0x100],
    ]);
  });

  test('absent, empty, malformed', () => {
    const of = (parent: Uint8Array): string => firmwareErrorOf(() => find({ 'msi-parent': parent }).mapId('msi', 0));
    expect(mapped(find({}), 'msi', 0)).toEqual([undefined]);
    expect(mapped(find({ 'msi-parent': none }), 'msi', 0)).toEqual([undefined]);
    expect(of(cells(ITS))).toBe('/d msi-parent: the last entry is cut short (at 0x54)');
    expect(of(cells(0))).toBe('/d msi-parent: no node has phandle 0x0 (at 0x54)');
    expect(of(cells(6, 1, 2))).toMatch(/^\/its2 #msi-cells: 2 cells, at most 1 wanted/);
  });
});

describe('iommus', () => {
  test("give the node's own id, whatever the requester", () => {
    expect(mapped(find({ iommus: cells(SMMU, 0x77, SMMU, 0x78) }), 'iommu', 0, 0x500)).toEqual([
      ['/smmu', 0x77],
      ['/smmu', 0x77],
    ]);
  });

  test('0 where the IOMMU has no ids; the first of several cells', () => {
    expect(mapped(find({ iommus: cells(MMU) }), 'iommu', 9)).toEqual([['/mmu', 0]]);
    expect(mapped(find({ iommus: cells(5, 0x420, 0x7f) }), 'iommu', 9)).toEqual([['/smmu2', 0x420]]);
  });

  test('every entry with all its cells, in order, at any controller', () => {
    const node = find({ iommus: cells(SMMU, 0x77, 5, 0x420, 0x7f, MMU, SMMU, 0x77) });
    expect(node.iommus.map(({ controller, id, args }) => [controller.path, id, args])).toEqual([
      ['/smmu', 0x77, [0x77]],
      ['/smmu2', 0x420, [0x420, 0x7f]],
      ['/mmu', 0, []],
      ['/smmu', 0x77, [0x77]],
    ]);
    expect(find({}).iommus).toEqual([]);
    expect(find({ 'iommu-map': cells(0, SMMU, 0, 0x10) }).iommus).toEqual([]);
  });

  test('an id that iommu-map leaves out bypasses', () => {
    const node = find({ 'iommu-map': cells(0, SMMU, 0, 0x10), iommus: cells(SMMU, 0x77) });
    expect(mapped(node, 'iommu', 0x10)).toEqual([undefined]);
  });

  test('absent, malformed', () => {
    const of = (iommus: Uint8Array): string => firmwareErrorOf(() => find({ iommus }).mapId('iommu', 0));
    expect(mapped(find({}), 'iommu', 0)).toEqual([undefined]);
    expect(of(cells(SMMU))).toBe('/d iommus: the last entry is cut short (at 0x54)');
    expect(of(cells(V2M))).toBe('/d iommus: /v2m has no #iommu-cells (at 0x54)');
    expect(of(cells(SMMU, 0x77, 0x99))).toBe('/d iommus: no node has phandle 0x99 (at 0x5c)');
    expect(firmwareErrorOf(() => find({ iommus: cells(SMMU, 0x77, SMMU) }).iommus)).toBe(
      '/d iommus: the last entry is cut short (at 0x5c)',
    );
  });
});
