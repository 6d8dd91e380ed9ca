// SPDX-License-Identifier: Apache-2.0
// Nodes, plain properties, status, memory and processors: Devicetree Specification v0.4, chapters 2 and 3.

import type { FirmwareNode } from '@irqkit/core';
import { firmwareFromFdt, writeFdt } from '@irqkit/fdt';
import { firmwareErrorOf } from './firmware-error.js';
import { cells, node, none, text, tree } from './tree.js';

describe('nodes', () => {
  const firmware = firmwareFromFdt(
    tree(
      { model: text('board') },
      node('soc', { phandle: cells(1) }, node('uart@10', { 'linux,phandle': cells(2), phandle: cells(3) })),
      node('clock', { 'linux,phandle': cells(0xffff_fffe) }),
    ),
  );

  test('in order, parents before children', () => {
    expect(firmware.nodes.map(({ path }) => path)).toEqual(['/', '/soc', '/soc/uart@10', '/clock']);
  });

  test('by path', () => {
    expect(firmware.find('/')).toBe(firmware.root);
    expect(firmware.find('/soc/uart@10')).toBe(firmware.root.children[0].children[0]);
    expect(firmware.find('/soc/uart')).toBeUndefined();
    expect(firmware.find('')).toBeUndefined();
  });

  test('names and families', () => {
    const uart = firmware.find('/soc/uart@10');
    expect(uart?.name).toBe('uart@10');
    expect(uart?.parent).toBe(firmware.find('/soc'));
    expect(firmware.root).toMatchObject({ path: '/', parent: undefined });
  });

  test('by phandle, also by its old name', () => {
    expect(firmware.byPhandle(1)?.path).toBe('/soc');
    expect(firmware.byPhandle(3)?.path).toBe('/soc/uart@10');
    expect(firmware.byPhandle(2)).toBeUndefined();
    expect(firmware.byPhandle(0xffff_fffe)?.path).toBe('/clock');
    expect(firmware.find('/soc/uart@10')?.phandle).toBe(3);
    expect(firmware.root.phandle).toBeUndefined();
  });

  test('values that are no phandles name nobody', () => {
    const none = firmwareFromFdt(
      tree(
        {},
        node('a', { phandle: cells(0) }),
        node('b', { phandle: cells(0xffff_ffff) }),
        node('c', { phandle: text('ab') }),
      ),
    );
    expect([0, 0xffff_ffff, 0x616200].map((phandle) => none.byPhandle(phandle))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('a phandle of two nodes is found, but cannot be followed', () => {
    const twice = firmwareFromFdt(
      tree({ 'interrupt-parent': cells(1) }, node('a', { phandle: cells(1) }), node('b', { phandle: cells(1) })),
    );
    expect(twice.byPhandle(1)?.path).toBe('/a');
    expect(firmwareErrorOf(() => twice.root.interruptParent)).toBe('/ interrupt-parent: /a and /b have phandle 0x1');
  });

  test('a tree that is none is refused as a whole', () => {
    expect(firmwareErrorOf(() => firmwareFromFdt(tree({}, node('a'), node('a'))))).toBe('/: a second node a');
    expect(firmwareErrorOf(() => firmwareFromFdt(new Uint8Array(4)))).toBe('fdt header: 4 bytes, 36 wanted (at 0x4)');
  });
});

describe('properties', () => {
  const of = (value: Uint8Array): FirmwareNode => firmwareFromFdt(writeFdt(tree({ p: value }))).root;

  test('names and bytes', () => {
    const { root } = firmwareFromFdt(tree({ b: Uint8Array.of(1, 2), a: none }));
    expect(root.propertyNames).toEqual(['b', 'a']);
    expect([root.has('a'), root.has('c')]).toEqual([true, false]);
    expect([root.bytes('b'), root.bytes('a'), root.bytes('c')]).toEqual([Uint8Array.of(1, 2), none, undefined]);
  });

  test('cells', () => {
    expect(of(cells(0xffff_ffff, 0)).u32s('p')).toEqual([0xffff_ffff, 0]);
    expect(of(cells(0x8000_0001)).u32('p')).toBe(0x8000_0001);
    expect(of(none).u32s('p')).toEqual([]);
    expect([of(none).u32s('q'), of(none).u32('q')]).toEqual([undefined, undefined]);
  });

  test('strings', () => {
    expect(of(text('a', '', 'bc')).strings('p')).toEqual(['a', '', 'bc']);
    expect(of(text('a', 'b')).string('p')).toBe('a');
    expect(of(text('Zürich')).string('p')).toBe('Zürich');
    expect(of(none).strings('p')).toEqual([]);
    expect([of(none).strings('q'), of(none).string('q')]).toEqual([undefined, undefined]);
    expect(firmwareFromFdt(tree({ compatible: text('x,y', 'z') })).root.compatible).toEqual(['x,y', 'z']);
    expect(firmwareFromFdt(tree({})).root.compatible).toEqual([]);
  });

  // The root begins at 0x38; its value follows FDT_BEGIN_NODE, an empty name, FDT_PROP, length and name offset.
  test.each<[string, Uint8Array, (node: FirmwareNode) => unknown, string]>([
    [
      'half a cell',
      Uint8Array.of(0, 0, 0, 1, 0, 0),
      (root) => root.u32s('p'),
      '6 bytes are no whole number of cells (at 0x4c)',
    ],
    ['two cells', cells(1, 2), (root) => root.u32('p'), '8 bytes, one cell wanted (at 0x4c)'],
    ['no cell', none, (root) => root.u32('p'), '0 bytes, one cell wanted (at 0x4c)'],
    ['no NUL', Uint8Array.of(0x61, 0, 0x62), (root) => root.strings('p'), 'a string without its NUL (at 0x4f)'],
    ['no string', none, (root) => root.string('p'), 'empty, a string wanted (at 0x4c)'],
  ])('malformed: %s', (_title, value, read, message) => {
    expect(firmwareErrorOf(() => read(of(value)))).toBe(`/ p: ${message}`);
  });

  test('one malformed property harms no other', () => {
    const { root } = firmwareFromFdt(tree({ compatible: Uint8Array.of(1), reg: Uint8Array.of(1), model: text('m') }));
    expect(root.string('model')).toBe('m');
    expect(root.available).toBe(true);
  });
});

describe('status', () => {
  test.each([
    [undefined, true],
    [text('okay'), true],
    [text('ok'), true],
    [text('disabled'), false],
    [text('reserved'), false],
    [text('fail-sss'), false],
    [text('okay', 'ok'), false],
    [Uint8Array.of(0x6f, 0x6b), false],
    [none, false],
  ])('%#', (status, available) => {
    expect(firmwareFromFdt(tree(status === undefined ? {} : { status })).root.available).toBe(available);
  });
});

describe('memory', () => {
  test('of available nodes by device_type or name, without empty ranges', () => {
    const { memory } = firmwareFromFdt(
      tree(
        { '#address-cells': cells(2), '#size-cells': cells(2) },
        node('memory@0', { reg: cells(0, 0, 0, 0x8000_0000, 8, 0x8000_0000, 1, 0) }),
        node('ram', { device_type: text('memory'), reg: cells(0x10, 0, 0, 0, 0x20, 0, 0, 0x1000) }),
        node('memory@30', { reg: cells(0x30, 0, 0, 0x1000), status: text('disabled') }),
        node('memory-controller@40', { reg: cells(0, 0x40, 0, 0x10) }),
      ),
    );
    expect(memory).toEqual([
      { base: 0, sizeBytes: 0x8000_0000 },
      { base: 0x8_8000_0000, sizeBytes: 0x1_0000_0000 },
      { base: 0x20_0000_0000, sizeBytes: 0x1000 },
    ]);
  });
});

describe('processors', () => {
  const cpu = (reg: Uint8Array, more = {}): Record<string, Uint8Array> => ({ device_type: text('cpu'), reg, ...more });

  test('MPIDRs of two cells, of those that are not disabled', () => {
    const { cpus } = firmwareFromFdt(
      tree(
        {},
        node(
          'cpus',
          { '#address-cells': cells(2), '#size-cells': cells(0) },
          node('cpu-map'),
          node('cpu@0', cpu(cells(0, 0x8100_0300))),
          node('cpu@1', cpu(cells(0, 1), { status: text('disabled'), 'enable-method': text('psci') })),
          node('cpu@2', cpu(cells(0, 2), { status: text('fail') })),
          node('cpu@100000100', { reg: cells(1, 0x100), status: text('okay') }),
          node('l2-cache', { reg: cells(0, 9) }),
        ),
      ),
    );
    expect(cpus).toEqual([0x8100_0300, 0x1_0000_0100]);
  });

  test('MPIDRs of one cell', () => {
    const cpus = node(
      'cpus',
      { '#address-cells': cells(1), '#size-cells': cells(0) },
      node('cpu@f00', cpu(cells(0xf00))),
    );
    expect(firmwareFromFdt(tree({}, cpus)).cpus).toEqual([0xf00]);
  });

  test('none without /cpus', () => {
    expect(firmwareFromFdt(tree({})).cpus).toEqual([]);
  });

  test('malformed', () => {
    const of = (cells_: Uint8Array, reg: Uint8Array): string =>
      firmwareErrorOf(
        () => firmwareFromFdt(tree({}, node('cpus', { '#address-cells': cells_ }, node('cpu', cpu(reg))))).cpus,
      );
    expect(of(cells(2), cells(1))).toBe('/cpus/cpu reg: 1 cells, 2 wanted');
    expect(of(cells(2), cells(0x10_0000, 0))).toBe('/cpus/cpu reg: address 0x10000000000000 is 2^52 or more');
    expect(of(cells(4), cells(1))).toBe('/cpus #address-cells: 4 cells, at most 3 wanted');
  });
});
