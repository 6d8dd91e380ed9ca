// SPDX-License-Identifier: Apache-2.0
// The interrupt tree: Devicetree Specification v0.4, section 2.4, with Linux's of_irq_parse_raw where it is silent.

import type { FirmwareNode, InterruptSpec } from '@irqkit/core';
import { firmwareFromFdt, writeFdt } from '@irqkit/fdt';
import type { FdtNode } from '@irqkit/fdt';
import { firmwareErrorOf } from './firmware-error.js';
import { cells, node, none, text, tree } from './tree.js';

const GIC = 1;
const PIC = 2;
const NEXUS = 3;
const NEXUS2 = 4;

const controller = (name: string, phandle: number, count: number, more: Record<string, Uint8Array> = {}): FdtNode =>
  node(name, { phandle: cells(phandle), 'interrupt-controller': none, '#interrupt-cells': cells(count), ...more });
const gic = controller('gic', GIC, 3, { '#address-cells': cells(0) });
const pic = controller('pic', PIC, 1);

const shown = (specs: readonly (InterruptSpec | undefined)[] | undefined): unknown =>
  specs?.map((spec) => spec && [spec.controller.path, ...spec.args]);
const find = (path: string, ...children: FdtNode[]): FirmwareNode => {
  const found = firmwareFromFdt(
    tree({ 'interrupt-parent': cells(GIC), '#address-cells': cells(2) }, gic, pic, ...children),
  ).find(path);
  if (found === undefined) throw new Error(path);
  return found;
};
const interrupts = (path: string, ...children: FdtNode[]): unknown => shown(find(path, ...children).interrupts);

describe('interrupts', () => {
  test('go to the interrupt parent, inherited from any ancestor', () => {
    expect(interrupts('/soc/d', node('soc', {}, node('d', { interrupts: cells(0, 32, 4, 1, 9, 8) })))).toEqual([
      ['/gic', 0, 32, 4],
      ['/gic', 1, 9, 8],
    ]);
  });

  test("a node's own interrupt parent comes first, then the nearest", () => {
    const device = node('d', { interrupts: cells(5) });
    expect(interrupts('/soc/d', node('soc', { 'interrupt-parent': cells(PIC) }, device))).toEqual([['/pic', 5]]);
    const own = node('d', { interrupts: cells(5), 'interrupt-parent': cells(PIC) });
    expect(interrupts('/d', own)).toEqual([['/pic', 5]]);
  });

  test('a parent node with #interrupt-cells is one', () => {
    const child = node('d', { interrupts: cells(6) });
    const soc = node('soc', { '#interrupt-cells': cells(1), 'interrupt-controller': none }, child);
    expect(interrupts('/soc/d', soc)).toEqual([['/soc', 6]]);
    expect(find('/soc/d', soc).interruptParent?.path).toBe('/soc');
    expect(find('/soc', soc).interruptParent?.path).toBe('/gic');
  });

  test('a parent without #interrupt-cells passes on to its own', () => {
    const through = node('through', { phandle: cells(9), 'interrupt-parent': cells(PIC) });
    expect(interrupts('/d', through, node('d', { interrupts: cells(5), 'interrupt-parent': cells(9) }))).toEqual([
      ['/pic', 5],
    ]);
  });

  test('absent or empty', () => {
    expect(interrupts('/d', node('d'))).toEqual([]);
    expect(interrupts('/d', node('d', { interrupts: none }))).toEqual([]);
  });

  test('no interrupt parent at all', () => {
    const { root } = firmwareFromFdt(tree({}, node('d', { interrupts: cells(1) })));
    expect(root.children[0].interruptParent).toBeUndefined();
    expect(firmwareErrorOf(() => root.children[0].interrupts)).toBe('/d interrupts: no interrupt parent');
  });

  test('malformed, with the offset in the blob', () => {
    const of = (properties: Record<string, Uint8Array>): string =>
      firmwareErrorOf(() => firmwareFromFdt(writeFdt(tree({}, node('d', properties), gic))).find('/d')?.interrupts);
    expect(of({ interrupts: cells(1, 2), 'interrupt-parent': cells(GIC) })).toBe(
      '/d interrupts: 2 cells, a multiple of 3 wanted (at 0x54)',
    );
    expect(of({ interrupts: cells(1), 'interrupt-parent': cells(7) })).toBe(
      '/d interrupt-parent: no node has phandle 0x7 (at 0x64)',
    );
  });
});

describe('interrupts-extended', () => {
  const extended = (...values: number[]): FdtNode => node('d', { 'interrupts-extended': cells(...values) });

  test('name their controllers, each with its cells', () => {
    expect(interrupts('/d', extended(GIC, 0, 1, 4, PIC, 7, GIC, 0, 2, 4))).toEqual([
      ['/gic', 0, 1, 4],
      ['/pic', 7],
      ['/gic', 0, 2, 4],
    ]);
  });

  test('a phandle of 0 stands alone and is left out', () => {
    expect(interrupts('/d', extended(0, PIC, 7, 0, 0, PIC, 8, 0))).toEqual([
      ['/pic', 7],
      ['/pic', 8],
    ]);
  });

  test('come before interrupts', () => {
    expect(interrupts('/d', node('d', { interrupts: cells(0, 1, 4), 'interrupts-extended': cells(PIC, 3) }))).toEqual([
      ['/pic', 3],
    ]);
  });

  test('malformed', () => {
    const of = (...values: number[]): string => firmwareErrorOf(() => find('/d', extended(...values)).interrupts);
    expect(of(PIC, 1, GIC, 0, 1)).toBe('/d interrupts-extended: the last entry is cut short');
    expect(of(77)).toBe('/d interrupts-extended: no node has phandle 0x4d');
    const plain = node('plain', { phandle: cells(8) });
    expect(firmwareErrorOf(() => find('/d', plain, extended(8)).interrupts)).toBe(
      '/d interrupts-extended: /plain has no #interrupt-cells',
    );
    const greedy = node('greedy', { phandle: cells(8), '#interrupt-cells': cells(17) });
    expect(firmwareErrorOf(() => find('/d', greedy, extended(8)).interrupts)).toBe(
      '/greedy #interrupt-cells: 17 cells, at most 16 wanted',
    );
  });
});

describe('interrupt-map', () => {
  /** The PCI host bridge of the specification's example: device number and pin to the GIC. */
  const host = (...children: FdtNode[]): FdtNode =>
    node(
      'pcie',
      {
        '#address-cells': cells(3),
        '#size-cells': cells(2),
        '#interrupt-cells': cells(1),
        'interrupt-map-mask': cells(0x1800, 0, 0, 7),
        'interrupt-map': cells(
        0x0000, 0, 0, 1, GIC, 0, 3, 4,
        0x0000, 0, 0, 2, GIC, 0, 4, 4,
        0x0800, 0, 0, 1, GIC, 0, 4, 4,
        0x1000, 0, 0, 1, PIC, 9,
      ), // prettier-ignore
      },
      ...children,
    );

  test('a child by its unit address and pin, under the mask', () => {
    // Device 5 (0x2800) is masked to 1 (0x0800); the parent's unit address has as many cells as the parent says.
    const at = (hi: number, pin: number): FdtNode => node('d', { reg: cells(hi, 0, 0, 0, 0), interrupts: cells(pin) });
    expect(interrupts('/pcie/d', host(at(0x2800, 1)))).toEqual([['/gic', 0, 4, 4]]);
    expect(interrupts('/pcie/d', host(at(0x8000_0000, 2)))).toEqual([['/gic', 0, 4, 4]]);
  });

  test("the parent's own #address-cells are skipped, none where it has none", () => {
    const wide = controller('wide', 6, 2, { '#address-cells': cells(2) });
    const nexus = node('nexus', {
      '#address-cells': cells(0),
      '#interrupt-cells': cells(1),
      'interrupt-map': cells(1, 6, 0xa, 0xb, 21, 22, 2, PIC, 23),
    });
    const specs = [1, 2].map((pin) => find('/nexus', wide, nexus).mapInterrupt([], [pin]));
    expect(shown(specs)).toEqual([
      ['/wide', 21, 22],
      ['/pic', 23],
    ]);
  });

  test('mapInterrupt, for devices without a node', () => {
    const bridge = host();
    const map = (hi: number, pin: number): unknown => shown([find('/pcie', bridge).mapInterrupt([hi, 0, 0], [pin])]);
    expect(map(0x0900, 1)).toEqual([['/gic', 0, 4, 4]]);
    expect(map(0x0000, 2)).toEqual([['/gic', 0, 4, 4]]);
    expect(map(0x1000, 1)).toEqual([['/pic', 9]]);
    expect(map(0x0800, 2)).toEqual([undefined]);
    expect(find('/gic').mapInterrupt([0], [0, 1, 4])).toBeUndefined();
    expect(firmwareErrorOf(() => find('/pcie', bridge).mapInterrupt([0, 0, 0], [1, 2]))).toBe(
      '/pcie #interrupt-cells: 1, but a specifier of 2 cells is to be mapped',
    );
  });

  test('through several nexus nodes', () => {
    const second = node('second', {
      phandle: cells(NEXUS2),
      '#address-cells': cells(1),
      '#interrupt-cells': cells(2),
      'interrupt-map-mask': cells(0xff, 0xf, 0),
      'interrupt-map': cells(0x12, 3, 0, GIC, 0, 99, 4),
    });
    const first = node('first', {
      phandle: cells(NEXUS),
      '#address-cells': cells(1),
      '#interrupt-cells': cells(1),
      'interrupt-map': cells(0x40, 1, NEXUS2, 0x7712, 0x53, 0xffff),
    });
    const device = node('d', { reg: cells(0x40, 4), interrupts: cells(1), 'interrupt-parent': cells(NEXUS) });
    expect(interrupts('/d', second, first, device)).toEqual([['/gic', 0, 99, 4]]);
  });

  test('of alike entries the first with an available parent', () => {
    const off = controller('off', 6, 1, { status: text('disabled') });
    const nexus = node('nexus', {
      '#address-cells': cells(0),
      '#interrupt-cells': cells(1),
      'interrupt-map': cells(1, 6, 50, 1, PIC, 51, 1, PIC, 52),
    });
    expect(shown([find('/nexus', off, nexus).mapInterrupt([], [1])])).toEqual([['/pic', 51]]);
  });

  test('#address-cells of a nexus that lacks them come from its parents', () => {
    const nexus = node('nexus', {
      phandle: cells(NEXUS),
      '#interrupt-cells': cells(1),
      'interrupt-map': cells(7, 8, 1, PIC, 60),
    });
    const device = node('d', { reg: cells(7, 8, 0), interrupts: cells(1), 'interrupt-parent': cells(NEXUS) });
    expect(interrupts('/d', nexus, device)).toEqual([['/pic', 60]]);
  });

  test('a nexus without a map hands on to its interrupt parent', () => {
    const nexus = node('nexus', {
      phandle: cells(NEXUS),
      '#interrupt-cells': cells(1),
      'interrupt-parent': cells(PIC),
    });
    expect(
      interrupts('/d', nexus, node('d', { reg: cells(0, 0, 0), 'interrupts-extended': cells(NEXUS, 61) })),
    ).toEqual([['/pic', 61]]);
  });

  test('a controller that maps to itself', () => {
    const aic = controller('aic', 6, 2, {
      '#address-cells': cells(0),
      'interrupt-map': cells(1, 1, 6, 0, 70, 1, 2, GIC, 0, 71, 4),
    });
    expect(interrupts('/d', aic, node('d', { 'interrupts-extended': cells(6, 1, 1, 6, 1, 2) }))).toEqual([
      ['/aic', 0, 70],
      ['/gic', 0, 71, 4],
    ]);
    expect(shown([find('/aic', aic).mapInterrupt([], [1, 1])])).toEqual([['/aic', 0, 70]]);
  });

  test('controllers that Linux knows to read their map themselves', () => {
    const extirq = controller('extirq', 6, 2, {
      compatible: text('fsl,ls1046a-extirq', 'fsl,ls1043a-extirq'),
      '#address-cells': cells(0),
      'interrupt-map': cells(0, 0, GIC, 0, 131, 4),
    });
    expect(interrupts('/d', extirq, node('d', { 'interrupts-extended': cells(6, 0, 8) }))).toEqual([['/extirq', 0, 8]]);
  });

  test('malformed', () => {
    const of = (
      map: Uint8Array,
      mask = cells(0xff, 0xff),
      device: Record<string, Uint8Array> = { reg: cells(0, 0, 0) },
    ): string =>
      firmwareErrorOf(
        () =>
          find(
            '/d',
            node('nexus', {
              phandle: cells(NEXUS),
              '#address-cells': cells(1),
              '#interrupt-cells': cells(1),
              'interrupt-map': map,
              'interrupt-map-mask': mask,
            }),
            node('d', { ...device, 'interrupts-extended': cells(NEXUS, 1) }),
          ).interrupts,
      );
    expect(of(cells(0, 2, PIC, 1))).toBe('/d interrupts-extended: no interrupt-map entry matches');
    expect(of(cells(0, 2, PIC, 1), cells(0xff))).toBe('/nexus interrupt-map-mask: 1 cells, 2 wanted');
    expect(of(cells(0, 1, PIC, 1, 0, 1))).toBe('/nexus interrupt-map: the last entry is cut short');
    expect(of(cells(0, 1, PIC))).toBe('/nexus interrupt-map: the last entry is cut short');
    expect(of(cells(0, 1, 77, 1))).toBe('/nexus interrupt-map: no node has phandle 0x4d');
    expect(of(cells(0, 1, PIC, 1), cells(0xff, 0xff), {})).toBe(
      '/d interrupts-extended: no reg for the interrupt-map of /nexus',
    );
  });
});

describe('loops end in an error', () => {
  test('of interrupt parents', () => {
    const a = node('a', { phandle: cells(10), 'interrupt-parent': cells(11) });
    const b = node('b', { phandle: cells(11), 'interrupt-parent': cells(10) });
    expect(firmwareErrorOf(() => find('/a', a, b).interruptParent)).toBe(
      '/a interrupt-parent: the interrupt parents form a loop',
    );
    const self = node('a', { phandle: cells(10), 'interrupt-parent': cells(10), interrupts: cells(1) });
    expect(firmwareErrorOf(() => find('/a', self).interrupts)).toBe(
      '/a interrupt-parent: the interrupt parents form a loop',
    );
  });

  test('of nexus nodes', () => {
    const nexus = (name: string, phandle: number, to: number): FdtNode =>
      node(name, {
        phandle: cells(phandle),
        '#address-cells': cells(0),
        '#interrupt-cells': cells(1),
        'interrupt-map': cells(1, to, 1),
      });
    const device = node('d', { 'interrupts-extended': cells(10, 1) });
    expect(firmwareErrorOf(() => find('/d', nexus('a', 10, 11), nexus('b', 11, 10), device).interrupts)).toBe(
      '/d interrupts-extended: the way to its controller is a loop',
    );
    expect(firmwareErrorOf(() => find('/a', nexus('a', 10, 11), nexus('b', 11, 10)).mapInterrupt([], [1]))).toBe(
      '/a interrupt-map: the way to its controller is a loop',
    );
  });

  test('of nodes that are neither controller nor nexus', () => {
    const lone = node('lone', { phandle: cells(10), '#interrupt-cells': cells(1), 'interrupt-parent': cells(10) });
    expect(firmwareErrorOf(() => find('/d', lone, node('d', { 'interrupts-extended': cells(10, 1) })).interrupts)).toBe(
      '/d interrupts-extended: the way to its controller is a loop',
    );
  });
});
