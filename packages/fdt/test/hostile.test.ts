// SPDX-License-Identifier: Apache-2.0
// Trees made to be expensive. Each is read whole; that the file ends is the claim.

import { firmwareFromFdt, parseFdt, writeFdt } from '@irqkit/fdt';
import type { FdtNode } from '@irqkit/fdt';
import { runs, seed } from '@irqkit-test/env';
import fc from 'fast-check';
import { firmwareErrorOf } from './firmware-error.js';
import { fullDecode } from './full-decode.js';
import { cells, cellsOf, node, none, tree } from './tree.js';

const KIB = 1024;

/** `count` times the same cells. */
function repeated(count: number, ...values: number[]): Uint8Array {
  return cellsOf(Array.from({ length: count }, () => values).flat());
}

describe('expensive trees are read to the end', () => {
  test('64 buses of 1024 ranges above 128 registers: the last range matches', () => {
    const ranges = cellsOf([...Array.from({ length: 1023 }, () => [1, 1, 0]), [0, 0, 0x1000]].flat());
    let bottom = node('d', { reg: repeated(128, 0x10, 4) });
    for (let depth = 0; depth < 62; depth++)
      bottom = node('b', { '#address-cells': cells(1), '#size-cells': cells(1), ranges }, bottom);
    const firmware = firmwareFromFdt(tree({ '#address-cells': cells(1), '#size-cells': cells(1) }, bottom));
    const deepest = firmware.nodes.at(-1);
    expect(deepest?.regs).toHaveLength(128);
    expect(deepest?.regs.at(-1)).toEqual({ base: 0x10, sizeBytes: 4 });
  });

  test('50000 interrupts through an interrupt-map of 50000 entries', () => {
    const map = Array.from({ length: 50_000 }, (_, index) => [index, 2, index + 1]).flat();
    const firmware = firmwareFromFdt(
      tree(
        {},
        node('pic', { phandle: cells(2), 'interrupt-controller': none, '#interrupt-cells': cells(1) }),
        node('nexus', {
          phandle: cells(1),
          '#address-cells': cells(0),
          '#interrupt-cells': cells(1),
          'interrupt-map': cellsOf(map),
        }),
        node('d', {
          'interrupt-parent': cells(1),
          interrupts: cellsOf(Array.from({ length: 50_000 }, (_, index) => index)),
        }),
      ),
    );
    const interrupts = firmware.find('/d')?.interrupts;
    expect(interrupts).toHaveLength(50_000);
    expect(interrupts?.at(-1)?.args).toEqual([50_000]);
  });

  test('5000 nodes that hand their interrupts on to the next', () => {
    const chain = Array.from({ length: 5000 }, (_, index) =>
      node(`n${index}`, { phandle: cells(index + 1), 'interrupt-parent': cells(index + 2), interrupts: cells(1) }),
    );
    const firmware = firmwareFromFdt(tree({}, ...chain));
    expect(firmwareErrorOf(() => firmware.find('/n0')?.interrupts)).toBe(
      '/n0 interrupt-parent: the interrupt parents form a loop',
    );
    expect(fullDecode(writeFdt(tree({}, ...chain)))).toBeGreaterThan(0);
  });

  test('names that all end at the last byte of a large strings block', () => {
    const properties = Array.from({ length: 20_000 }, (_, index) => ({ name: `${index}`, value: none }));
    const blob = writeFdt({ ...tree({}), root: { ...node(''), properties } });
    const strings = new DataView(blob.buffer).getUint32(0x0c);
    blob.fill(0x61, strings, blob.length - 1);
    expect(firmwareErrorOf(() => parseFdt(blob))).toMatch(
      /^fdt strings block: a name longer than 255 characters \(at 0x/,
    );
  });

  test('20000 properties, 20000 siblings', () => {
    const many: FdtNode = {
      name: '',
      properties: Array.from({ length: 20_000 }, (_, index) => ({ name: `p${index}`, value: none })),
      children: Array.from({ length: 20_000 }, (_, index) => node(`n${index}`)),
    };
    const blob = writeFdt({ version: 17, bootCpuid: 0, reservations: [], root: many });
    expect(fullDecode(blob)).toBeGreaterThan(20_000);
  });
});

describe('random bytes', () => {
  const header = (structure: Uint8Array): Uint8Array => {
    const blob = writeFdt(tree({}));
    const whole = new Uint8Array(blob.length + structure.length);
    whole.set(blob);
    whole.set(structure, blob.length);
    const view = new DataView(whole.buffer);
    view.setUint32(0x04, whole.length);
    view.setUint32(0x08, blob.length);
    view.setUint32(0x24, structure.length);
    return whole;
  };
  const token = fc.constantFrom(1, 2, 3, 4, 9, 0, 0x61000000, 0xffff_ffff);

  test('are refused or read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4 * KIB }), (bytes) => {
        expect(fullDecode(bytes)).toBe(0);
      }),
      { seed, numRuns: runs(200, 10_000) },
    );
  });

  test('behind a good header, made of tokens, are refused or read', () => {
    fc.assert(
      fc.property(fc.array(token, { maxLength: 40 }), (tokens) => {
        expect(fullDecode(header(cells(...tokens)))).toBeGreaterThanOrEqual(0);
      }),
      { seed, numRuns: runs(2000, 100_000) },
    );
  });
});
