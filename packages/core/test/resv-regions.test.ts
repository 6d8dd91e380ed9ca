// SPDX-License-Identifier: Apache-2.0
import { IOMMU_PROT, iova, mergeResvRegions, physAddr } from '@irqkit/core';
import type { FirmwareNode, IommuResvRegion, IommuResvType } from '@irqkit/core';
import { FakeIommu, coreWith } from './fake-iommu.js';
import { stubNode } from './stub-machine.js';

const region = (base: number, sizeBytes: number, type: IommuResvType, prot = 0): IommuResvRegion => ({
  base: iova(base),
  sizeBytes,
  type,
  prot,
});
const lines = (regions: readonly IommuResvRegion[]) =>
  regions.map(({ base, sizeBytes, type }) => `${base.toString(16)}-${(base + sizeBytes - 1).toString(16)} ${type}`);

// What Linux's iommu_insert_resv_region leaves in the list, worked out by hand.
describe('reserved regions of a group', () => {
  it('ascend by address, then by type', () => {
    const mixed = [
      region(0x8000, 0x1000, 'sw-msi'),
      region(0x8000, 0x1000, 'direct'),
      region(0x8000, 0x1000, 'msi'),
      region(0x8000, 0x1000, 'direct-relaxable'),
      region(0x8000, 0x1000, 'reserved'),
      region(0x1000, 0x1000, 'sw-msi'),
    ];
    expect(lines(mergeResvRegions(mixed))).toEqual([
      '1000-1fff sw-msi',
      '8000-8fff direct',
      '8000-8fff direct-relaxable',
      '8000-8fff reserved',
      '8000-8fff msi',
      '8000-8fff sw-msi',
    ]);
  });

  it('merge where they overlap or touch and are of one type', () => {
    const regions = [
      region(0x4000, 0x1000, 'reserved'),
      region(0x1000, 0x1000, 'reserved'),
      region(0x2000, 0x1000, 'reserved'),
      region(0x1800, 0x400, 'direct'),
      region(0x2800, 0x1000, 'reserved'),
      region(0x3801, 0x7ff, 'reserved'),
    ];
    expect(lines(mergeResvRegions(regions))).toEqual(['1000-37ff reserved', '1800-1bff direct', '3801-4fff reserved']);
  });

  it("one inside another vanishes; the protection is the first one's", () => {
    const merged = mergeResvRegions([region(0x2000, 0x100, 'direct', 1), region(0x1000, 0x4000, 'direct', 3)]);
    expect(merged).toEqual([region(0x1000, 0x4000, 'direct', 3)]);
  });

  it('R16: every device reports the window for MSIs; the group once', () => {
    const swMsi = region(0x800_0000, 0x10_0000, 'sw-msi');
    const iommu = new FakeIommu({
      resvRegions: ({ name }) => (name === 'a' ? [swMsi] : [region(0, 0x1000, 'reserved'), swMsi]),
    });
    const { core } = coreWith([iommu]);
    const a = iommu.device('a');
    const b = iommu.device('b', { busGroup: () => a.iommuGroup });
    for (const device of [a, b]) core.dmaConfigure(device);
    expect(lines(core.resvRegions(b))).toEqual(['0-fff reserved', '8000000-80fffff sw-msi']);
    expect(lines(core.resvRegions(a.iommuGroup!))).toEqual(['0-fff reserved', '8000000-80fffff sw-msi']);
  });
});

describe('reserved regions of firmware', () => {
  const soc = stubNode({ path: '/soc', cells: { '#address-cells': [2], '#size-cells': [2] } });
  const display = stubNode({ path: '/soc/display', phandle: 1, parent: soc });
  const coherent = stubNode({
    path: '/soc/gpu',
    phandle: 2,
    parent: soc,
    cells: { '#address-cells': [1], '#size-cells': [1], 'dma-coherent': [] },
  });
  const memory = (addresses: readonly number[], reg?: readonly [number, number], available = true): FirmwareNode =>
    stubNode({
      path: '/reserved-memory/region',
      available,
      regs: reg ? [{ base: physAddr(reg[0]), sizeBytes: reg[1] }] : [],
      cells: { 'iommu-addresses': addresses },
    });
  const regionsOf = (node: FirmwareNode, ...memories: readonly FirmwareNode[]) => {
    const iommu = new FakeIommu();
    const reserved = stubNode({ path: '/reserved-memory', children: memories });
    const { core } = coreWith([iommu], { nodes: [soc, display, coherent, reserved] });
    const device = iommu.device(node.path, { node });
    core.dmaConfigure(device);
    return { regions: core.resvRegions(device), iommu };
  };

  it('direct where the region lies at its own address, and mapped so before the device is attached', () => {
    const { regions, iommu } = regionsOf(display, memory([1, 1, 0x8000_0000, 0, 0x2000], [0x1_8000_0000, 0x2000]));
    expect(regions).toEqual([region(0x1_8000_0000, 0x2000, 'direct', IOMMU_PROT.READ | IOMMU_PROT.WRITE)]);
    expect(iommu.journal.slice(-2)).toEqual(['map 180000000', 'attach /soc/display dma']);
  });

  it('reserved where it lies elsewhere or nowhere', () => {
    const { regions } = regionsOf(
      display,
      memory([1, 0, 0x4000_0000, 0, 0x2000], [0x8000_0000, 0x2000]),
      memory([1, 0, 0x5000_0000, 0, 0x1000]),
      memory([1, 0, 0x6000_0000, 0, 0x1000], [0x6000_0000, 0x2000]),
    );
    expect(regions).toEqual([
      region(0x4000_0000, 0x2000, 'reserved'),
      region(0x5000_0000, 0x1000, 'reserved'),
      region(0x6000_0000, 0x1000, 'reserved'),
    ]);
  });

  it("each entry has the device's cells, and is for that device alone; cacheable for a coherent one", () => {
    const shared = memory([1, 0, 0x1000, 0, 0x1000, 2, 0x8000_0000, 0x1000, 1, 0, 0x9000, 0, 0], [0x8000_0000, 0x1000]);
    expect(regionsOf(coherent, shared).regions).toEqual([
      region(0x8000_0000, 0x1000, 'direct', IOMMU_PROT.READ | IOMMU_PROT.WRITE | IOMMU_PROT.CACHE),
    ]);
    expect(regionsOf(display, shared).regions).toEqual([region(0x1000, 0x1000, 'reserved')]);
  });

  it('none of memory that is not available, nor for a device without a node', () => {
    expect(regionsOf(display, memory([1, 0, 0x1000, 0, 0x1000], undefined, false)).regions).toEqual([]);
    const iommu = new FakeIommu();
    const { core } = coreWith([iommu]);
    const device = iommu.device('0000:00:01.0');
    core.dmaConfigure(device);
    expect(core.resvRegions(device)).toEqual([]);
  });

  it.each([
    [[1, 0, 0x1000, 0], 'the last entry is cut short'],
    [[9, 0, 0x1000, 0, 0x1000], 'no node has phandle 0x9'],
  ])('malformed %j: the device is not configured, and nothing stays', (cells, message) => {
    const iommu = new FakeIommu();
    const reserved = stubNode({ path: '/reserved-memory', children: [memory(cells)] });
    const { core } = coreWith([iommu], { nodes: [soc, display, reserved] });
    const device = iommu.device('/soc/display', { node: display });
    expect(() => core.dmaConfigure(device)).toThrow(`/reserved-memory/region iommu-addresses: ${message}`);
    expect(iommu.state).toEqual({ devices: [], attached: [], domains: [] });
  });
});
