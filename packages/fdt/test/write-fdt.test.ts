// SPDX-License-Identifier: Apache-2.0
// Written blobs: one against bytes typed by hand, random trees against the parser.

import { parseFdt, printDts, writeFdt } from '@irqkit/fdt';
import type { Fdt, FdtNode } from '@irqkit/fdt';
import { describeWithTool, runs, seed } from '@irqkit-test/env';
import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { firmwareErrorOf } from './firmware-error.js';
import { hexBlob } from './hex-blob.js';
import { cells, node, none, text, tree, withoutOffsets } from './tree.js';

const SMALL: Fdt = {
  version: 16,
  bootCpuid: 1,
  reservations: [{ address: 0xffff_ffff_ffff_0000n, sizeBytes: 0x1000n }],
  root: node('', { reg: cells(7) }, node('a', { model: text('x'), reg: none })),
};

const SMALL_BLOB = hexBlob(`
  d00dfeed 0000009a 00000048 00000090 00000028 00000011 00000010 00000001 0000000a 00000048
  ffffffff ffff0000 00000000 00001000 ; 0x28
  00000000 00000000 00000000 00000000 ; 0x38
  00000001 00000000          ; 0x48 the root
  00000003 00000004 00000000 ; 0x50 reg
  00000007                   ; 0x5c
  00000001 61000000          ; 0x60 a
  00000003 00000002 00000004 ; 0x68 model
  78000000                   ; 0x74
  00000003 00000000 00000000 ; 0x78 reg, its name shared
  00000002 00000002 00000009 ; 0x84
  72656700 6d6f64656c00      ; 0x90
`);

describe('writeFdt', () => {
  test('header, reservations, structure and strings without gaps, as version 17', () => {
    expect(writeFdt(SMALL)).toEqual(SMALL_BLOB);
  });

  test('what cannot be written', () => {
    const of = (change: Partial<Fdt>): string => firmwareErrorOf(() => writeFdt({ ...SMALL, ...change }));
    expect(of({ bootCpuid: 2 ** 32 })).toBe('fdt header: boot_cpuid_phys 4294967296 is no 32-bit number');
    expect(of({ bootCpuid: 0.5 })).toBe('fdt header: boot_cpuid_phys 0.5 is no 32-bit number');
    expect(of({ reservations: [{ address: 1n, sizeBytes: 0n }] })).toBe(
      'fdt memory reservation 0: size 0 would end the block',
    );
    expect(of({ reservations: [{ address: 1n << 64n, sizeBytes: 1n }] })).toBe(
      'fdt memory reservation 0: 18446744073709551616 is no 64-bit number',
    );
    expect(of({ root: node('r') })).toBe('/: the root node is called r');
    expect(of({ root: node('', {}, node('')) })).toBe('/: no node can be called ""');
    expect(of({ root: node('', {}, node('a', { 'b c': none })) })).toBe('/a: no property can be called "b c"');
    expect(of({ root: node('', {}, node('a/b')) })).toBe('/: no node can be called "a/b"');
    expect(of({ root: node('', {}, node('a'.repeat(256))) })).toMatch(/^\/: no node can be called "a+"$/);
    expect(of({ root: node('', {}, node('a'), node('b'), node('a')) })).toBe('/: a second node a');
    const many = Array.from({ length: 20 }, (_, index) => node(`n${index}`));
    expect(of({ root: node('', {}, ...many, node('n17')) })).toBe('/: a second node n17');
  });

  test('trees too deep, paths too long', () => {
    expect(firmwareErrorOf(() => writeFdt(tree({}, chain(64, 'a'))))).toMatch(
      /^(\/a){64}: nodes nested deeper than 64$/,
    );
    expect(parseFdt(writeFdt(tree({}, chain(63, 'a')))).root.children).toHaveLength(1);
    expect(firmwareErrorOf(() => writeFdt(tree({}, chain(5, 'n'.repeat(255)))))).toMatch(
      /^\/n{63}…: a path longer than 1024$/,
    );
  });
});

const name = fc.stringMatching(/^[0-9a-zA-Z,._+*#?@-]{1,31}$/);
const value = fc.oneof(
  fc.constant(none),
  fc.uint8Array({ maxLength: 40 }),
  fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { maxLength: 24 }).map((values) => cells(...values)),
  fc.array(fc.string({ maxLength: 12 }), { maxLength: 5 }).map((strings) => text(...strings)),
);
const nodes = (levels: number): fc.Arbitrary<FdtNode> =>
  fc.record({
    name,
    properties: fc.uniqueArray(fc.record({ name, value }), { maxLength: 15, selector: (property) => property.name }),
    children:
      levels === 0
        ? fc.constant([])
        : fc.uniqueArray(nodes(levels - 1), { maxLength: 3, selector: (child) => child.name }),
  });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const trees: fc.Arbitrary<Fdt> = fc.record({
  version: fc.constant(17),
  bootCpuid: fc.integer({ min: 0, max: 0xffff_ffff }),
  reservations: fc.array(fc.record({ address: u64, sizeBytes: u64.filter((size) => size > 0n) }), { maxLength: 3 }),
  root: nodes(3).map((root) => ({ ...root, name: '' })),
});

describe('random trees', () => {
  test('written and parsed again are the same', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const parsed = parseFdt(writeFdt(tree));
        expect({ ...parsed, root: withoutOffsets(parsed.root) }).toEqual(tree);
      }),
      { seed, numRuns: runs(200, 5000) },
    );
  });

  describeWithTool('dtc', 'as source', () => {
    test('are compiled back to the same tree', () => {
      fc.assert(
        fc.property(trees, (tree) => {
          const { stdout } = spawnSync('dtc', ['-q', '-f', '-I', 'dts', '-O', 'dtb', '-o', '-', '-'], {
            input: printDts(tree),
          });
          const parsed = parseFdt(stdout);
          expect(parsed.reservations).toEqual(tree.reservations);
          expect(withoutOffsets(parsed.root)).toEqual(tree.root);
        }),
        { seed, numRuns: runs(30, 1000) },
      );
    });
  });
});

function chain(length: number, name: string): FdtNode {
  let bottom = node(name);
  for (let depth = 1; depth < length; depth++) bottom = node(name, {}, bottom);
  return bottom;
}
