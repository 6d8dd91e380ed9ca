// SPDX-License-Identifier: Apache-2.0
// `reg`, `ranges` and `dma-ranges` up to the CPU: Devicetree Specification v0.4, sections 2.3.5 to 2.3.9.

import type { Firmware } from '@irqkit/core';
import { firmwareFromFdt, writeFdt } from '@irqkit/fdt';
import type { FdtNode } from '@irqkit/fdt';
import { firmwareErrorOf } from './firmware-error.js';
import { cells, node, none, text, tree } from './tree.js';

const bus = (address: number, size: number): Record<string, Uint8Array> => ({
  '#address-cells': cells(address),
  '#size-cells': cells(size),
});
const regions = (firmware: Firmware, path: string): number[][] | undefined =>
  firmware.find(path)?.regs.map(({ base, sizeBytes }) => [base, sizeBytes]);

describe('reg', () => {
  test('below the root: 2 address cells and 1 size cell unless it says otherwise', () => {
    const device = (...values: number[]): FdtNode => node('d', { reg: cells(...values) });
    expect(regions(firmwareFromFdt(tree({}, device(1, 2, 3, 4, 5, 6))), '/d')).toEqual([
      [0x1_0000_0002, 3],
      [0x4_0000_0005, 6],
    ]);
    expect(regions(firmwareFromFdt(tree(bus(1, 1), device(0x1000, 0x10))), '/d')).toEqual([[0x1000, 0x10]]);
    expect(regions(firmwareFromFdt(tree(bus(2, 2), device(0, 1, 2, 3))), '/d')).toEqual([[1, 0x2_0000_0003]]);
  });

  test('on a bus without sizes are no memory', () => {
    const clocks = node('clocks', { ...bus(1, 0), ranges: none }, node('d', { reg: cells(7) }));
    expect(regions(firmwareFromFdt(tree(bus(1, 1), clocks)), '/clocks/d')).toEqual([]);
  });

  test('cell counts are not inherited', () => {
    const firmware = firmwareFromFdt(
      tree(bus(1, 1), node('b', { ranges: none }, node('d', { reg: cells(0, 0x20, 4) }))),
    );
    expect(regions(firmware, '/b/d')).toEqual([[0x20, 4]]);
  });

  test('through two buses', () => {
    const inner = node(
      'i',
      { ...bus(1, 1), ranges: cells(0x100, 0x5000, 0x100, 0, 0x9000, 0x100) },
      node('d', { reg: cells(0x110, 4, 0x20, 8) }),
    );
    const outer = node('o', { ...bus(1, 1), ranges: cells(0, 1, 0x8000_0000, 0x10_0000) }, inner);
    expect(regions(firmwareFromFdt(tree(bus(2, 1), outer)), '/o/i/d')).toEqual([
      [0x1_8000_5010, 4],
      [0x1_8000_9020, 8],
    ]);
  });

  test('an empty ranges passes everything on, none passes nothing', () => {
    const device = node('d', { reg: cells(0x1000, 4) });
    const firmware = firmwareFromFdt(
      tree(bus(1, 1), node('a', { ...bus(1, 1), ranges: none }, device), node('b', bus(1, 1), device)),
    );
    expect(regions(firmware, '/a/d')).toEqual([[0x1000, 4]]);
    expect(regions(firmware, '/b/d')).toEqual([]);
  });

  test('entries outside every range are left out, but keep their index', () => {
    const soc = node(
      'soc',
      { ...bus(1, 1), ranges: cells(0x1000, 0x8000, 0x100) },
      node('d', { reg: cells(0xfff, 1, 0x1000, 1, 0x10ff, 1, 0x1100, 1) }),
    );
    const firmware = firmwareFromFdt(tree(bus(1, 1), soc));
    expect(regions(firmware, '/soc/d')).toEqual([
      [0x8000, 1],
      [0x80ff, 1],
    ]);
    const device = firmware.find('/soc/d');
    expect(device?.reg(2)).toEqual({ base: 0x80ff, sizeBytes: 1 });
    expect(firmwareErrorOf(() => device?.reg(3))).toBe('/soc/d reg: entry 3 is not mapped for the CPU');
    expect(firmwareErrorOf(() => device?.reg(4))).toBe('/soc/d reg: no entry 4 among 4');
    expect(firmwareErrorOf(() => device?.reg(-1))).toBe('/soc/d reg: no entry -1 among 4');
    expect(firmwareErrorOf(() => device?.reg(0.5))).toBe('/soc/d reg: no entry 0.5 among 4');
  });

  test('of ranges that overlap the first counts', () => {
    const soc = node(
      'soc',
      { ...bus(1, 1), ranges: cells(0x10, 0xa000, 0x10, 0, 0xb000, 0x100) },
      node('d', { reg: cells(0x18, 1, 0x20, 1) }),
    );
    expect(regions(firmwareFromFdt(tree(bus(1, 1), soc)), '/soc/d')).toEqual([
      [0xa008, 1],
      [0xb020, 1],
    ]);
  });

  test('bus-local addresses use all 64 bits (a chip select in the upper cell)', () => {
    const bridge = node(
      'mbus',
      { ...bus(2, 1), ranges: cells(0xf001_0000, 0, 0xf100_0000, 0x10_0000) },
      node('d', { reg: cells(0xf001_0000, 0x2_0001, 4) }),
    );
    expect(regions(firmwareFromFdt(tree(bus(1, 1), bridge)), '/mbus/d')).toEqual([[0xf102_0001, 4]]);
  });

  test('absent, or on the root', () => {
    const firmware = firmwareFromFdt(tree({ reg: cells(1) }, node('d')));
    expect([firmware.root.regs, firmware.find('/d')?.regs]).toEqual([[], []]);
    expect(firmwareErrorOf(() => firmware.find('/d')?.reg(0))).toBe('/d reg: no entry 0 among 0');
  });

  test('malformed, with the offset in the blob', () => {
    const of = (properties: Record<string, Uint8Array>, reg: Uint8Array): string =>
      firmwareErrorOf(() => firmwareFromFdt(writeFdt(tree(properties, node('d', { reg })))).find('/d')?.regs);
    // reg's value: 0x38 + 8 for the root, 8 for /d, 12 for the property; the root's two properties take 16 each.
    expect(of({}, cells(1, 2))).toBe('/d reg: 2 cells, a multiple of 3 wanted (at 0x54)');
    expect(of(bus(0, 0), cells(1))).toBe('/d reg: 1 cells, a multiple of 0 wanted (at 0x74)');
    expect(of(bus(2, 1), cells(0x10_0000, 0, 0))).toBe('/d reg: address 0x10000000000000 is 2^52 or more (at 0x74)');
    expect(of(bus(2, 2), cells(0, 1, 0x10_0000, 0))).toBe(
      '/d reg: 0x10000000000000 bytes at 0x1 end beyond 2^52 (at 0x7c)',
    );
    expect(of({ '#size-cells': cells(3) }, cells(1))).toBe('/ #size-cells: 3 cells, at most 2 wanted (at 0x4c)');
    expect(of(bus(1, 0), new Uint8Array(1025 * 4))).toBe('/d reg: 1025 entries, at most 1024 wanted (at 0x74)');
  });
});

/** An ECAM host bridge as QEMU's virt has it: I/O, 32-bit and 64-bit memory windows. */
const pcie = (...children: FdtNode[]): FdtNode =>
  node(
    'pcie@10000000',
    {
      ...bus(3, 2),
      device_type: text('pci'),
      ranges: cells(
      0x0100_0000, 0, 0, 0, 0x3eff_0000, 0, 0x1_0000,
      0x0200_0000, 0, 0x1000_0000, 0, 0x1000_0000, 0, 0x2eff_0000,
      0x0300_0000, 0x80, 0, 0x80, 0, 0x80, 0,
    ), // prettier-ignore
    },
    ...children,
  );

describe('ranges', () => {
  test('of a PCI host bridge carry phys.hi in flags', () => {
    expect(firmwareFromFdt(tree(bus(2, 2), pcie())).find('/pcie@10000000')?.ranges).toEqual([
      { flags: 0x0100_0000, childBase: 0, parentBase: 0x3eff_0000, sizeBytes: 0x1_0000 },
      { flags: 0x0200_0000, childBase: 0x1000_0000, parentBase: 0x1000_0000, sizeBytes: 0x2eff_0000 },
      { flags: 0x0300_0000, childBase: 0x80_0000_0000, parentBase: 0x80_0000_0000, sizeBytes: 0x80_0000_0000 },
    ]);
  });

  test('PCI addresses match ranges of their space: 32-bit and 64-bit memory are one, configuration is none', () => {
    const reg = cells(
      0x0000_0800, 0, 0, 0, 0,
      0x0200_0810, 0, 0x1000_1000, 0, 0x1000,
      0x4300_0814, 0, 0x1000_2000, 0, 0x1000,
      0x8100_0818, 0, 0x40, 0, 0x20,
      0x0100_0818, 0, 0x1000_0000, 0, 0x20,
    ); // prettier-ignore
    const firmware = firmwareFromFdt(tree(bus(2, 2), pcie(node('d@1', { reg }))));
    expect(regions(firmware, '/pcie@10000000/d@1')).toEqual([
      [0x1000_1000, 0x1000],
      [0x1000_2000, 0x1000],
      [0x3eff_0040, 0x20],
    ]);
  });

  test('three cells on another bus: the first must be the same', () => {
    const other = node(
      'fsl-mc',
      { ...bus(3, 1), ranges: cells(0, 0, 0, 0, 0x800_0000, 0x100, 1, 0, 0, 0, 0x900_0000, 0x100) },
      node('d', { reg: cells(1, 0, 0x10, 4, 2, 0, 0x10, 4) }),
    );
    expect(regions(firmwareFromFdt(tree(bus(2, 1), other)), '/fsl-mc/d')).toEqual([[0x900_0010, 4]]);
  });

  test('are translated to the CPU; those that no parent passes on are left out', () => {
    const inner = node('i', { ...bus(1, 1), ranges: cells(0, 0x10, 4, 8, 0x200, 4) });
    const outer = node('o', { ...bus(1, 1), ranges: cells(0, 0x8000, 0x100) }, inner);
    const firmware = firmwareFromFdt(tree(bus(1, 1), outer));
    expect(firmware.find('/o/i')?.ranges).toEqual([{ flags: 0, childBase: 0, parentBase: 0x8010, sizeBytes: 4 }]);
  });

  test('empty or absent: none to list', () => {
    const firmware = firmwareFromFdt(tree(bus(1, 1), node('a', { ...bus(1, 1), ranges: none }), node('b')));
    expect(['/a', '/b', '/'].map((path) => firmware.find(path)?.ranges)).toEqual([[], [], []]);
  });

  test('malformed', () => {
    const of = (ranges: Uint8Array): string =>
      firmwareErrorOf(() => firmwareFromFdt(writeFdt(tree({}, node('b', { ranges })))).find('/b')?.ranges);
    expect(of(cells(1, 2, 3, 4))).toBe('/b ranges: 4 cells, a multiple of 5 wanted (at 0x54)');
    expect(of(cells(0x10_0000, 0, 0, 0, 1))).toBe('/b ranges: address 0x10000000000000 is 2^52 or more (at 0x54)');
    expect(of(cells(0, 0, 0x10_0000, 0, 1))).toBe('/b ranges: address 0x10000000000000 is 2^52 or more (at 0x5c)');
    expect(of(new Uint8Array(20 * 1025))).toBe('/b ranges: 1025 entries, at most 1024 wanted (at 0x54)');
    expect(of(Uint8Array.of(1))).toBe('/b ranges: 1 bytes are no whole number of cells (at 0x54)');
  });

  test('of a parent, malformed, stop only who is below it', () => {
    const device = node('d', { reg: cells(0, 0, 1) });
    const firmware = firmwareFromFdt(tree({}, node('b', { ranges: cells(1) }, device), device));
    expect(firmwareErrorOf(() => firmware.find('/b/d')?.regs)).toBe('/b ranges: 1 cells, a multiple of 5 wanted');
    expect(regions(firmware, '/d')).toEqual([[0, 1]]);
  });
});

describe('dma-ranges', () => {
  test('a bus without them passes addresses on', () => {
    const inner = node('i', { ...bus(1, 1), 'dma-ranges': cells(0, 0x4000_0000, 0x1000) });
    const plain = node('p', bus(1, 1), inner);
    const outer = node('o', { ...bus(1, 1), 'dma-ranges': cells(0x4000_0000, 8, 0, 0x4000_0000) }, plain);
    const firmware = firmwareFromFdt(tree(bus(2, 1), outer));
    expect(firmware.find('/o/p/i')?.dmaRanges).toEqual([
      { flags: 0, childBase: 0, parentBase: 0x8_0000_0000, sizeBytes: 0x1000 },
    ]);
    expect(firmware.find('/o/p')?.dmaRanges).toEqual([]);
  });

  test('of a PCI host bridge', () => {
    const host = node('pcie', { ...bus(3, 2), 'dma-ranges': cells(0x4300_0000, 0, 0, 0, 0, 0x10, 0) });
    expect(firmwareFromFdt(tree(bus(2, 2), host)).find('/pcie')?.dmaRanges).toEqual([
      { flags: 0x4300_0000, childBase: 0, parentBase: 0, sizeBytes: 0x10_0000_0000 },
    ]);
  });
});
