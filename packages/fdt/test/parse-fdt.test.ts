// SPDX-License-Identifier: Apache-2.0
// The flattened format against blobs typed byte by byte: Devicetree Specification v0.4, chapter 5.

import { parseFdt } from '@irqkit/fdt';
import { firmwareErrorOf } from './firmware-error.js';
import { hexBlob, withWord } from './hex-blob.js';
import { cells, none, text, withoutOffsets } from './tree.js';

/** One reservation, NOPs in every place, a node with a property and a child. */
const V17 = hexBlob(`
  d00dfeed ; 0x00 magic
  000000c0 ; 0x04 totalsize
  00000048 ; 0x08 off_dt_struct
  000000b0 ; 0x0c off_dt_strings
  00000028 ; 0x10 off_mem_rsvmap
  00000011 ; 0x14 version
  00000010 ; 0x18 last_comp_version
  00000100 ; 0x1c boot_cpuid_phys
  00000010 ; 0x20 size_dt_strings
  00000068 ; 0x24 size_dt_struct
  00000000 48000000 00000000 00010000 ; 0x28 a reservation
  00000000 00000000 00000000 00000000 ; 0x38 the last one
  00000004                   ; 0x48 FDT_NOP
  00000001 00000000          ; 0x4c FDT_BEGIN_NODE, the root's empty name
  00000003 00000005 00000000 ; 0x54 FDT_PROP of 5 bytes, its name at 0
  6162636400 000000          ; 0x60 "abcd"
  00000004                   ; 0x68 FDT_NOP
  00000001 6e40313000000000  ; 0x6c FDT_BEGIN_NODE n@10
  00000003 00000004 00000006 ; 0x78 FDT_PROP of 4 bytes, its name at 6
  00000010                   ; 0x84
  00000004                   ; 0x88 FDT_NOP
  00000003 00000000 0000000a ; 0x8c FDT_PROP of no bytes, its name at 10
  00000002                   ; 0x98 FDT_END_NODE
  00000004                   ; 0x9c FDT_NOP
  00000002                   ; 0xa0 FDT_END_NODE
  00000004                   ; 0xa4 FDT_NOP
  00000009                   ; 0xa8 FDT_END
  00000000                   ; 0xac
  6d6f64656c00 72656700 646f6e6500 00 ; 0xb0 model, reg, done
`);

/** The least there is, without size_dt_struct. */
const V16 = hexBlob(`
  d00dfeed ; 0x00 magic
  00000048 ; 0x04 totalsize
  00000038 ; 0x08 off_dt_struct
  00000048 ; 0x0c off_dt_strings
  00000028 ; 0x10 off_mem_rsvmap
  00000010 ; 0x14 version
  00000010 ; 0x18 last_comp_version
  00000000 ; 0x1c boot_cpuid_phys
  00000000 ; 0x20 size_dt_strings
  ffffffff ; 0x24 nothing: the next block is aligned to 8
  00000000 00000000 00000000 00000000 ; 0x28 no reservation
  00000001 00000000 ; 0x38 FDT_BEGIN_NODE
  00000002          ; 0x40 FDT_END_NODE
  00000009          ; 0x44 FDT_END
`);

describe('parseFdt', () => {
  test('version 17', () => {
    const tree = parseFdt(V17);
    expect(tree).toMatchObject({ version: 17, bootCpuid: 0x100 });
    expect(tree.reservations).toEqual([{ address: 0x4800_0000n, sizeBytes: 0x1_0000n }]);
    expect(withoutOffsets(tree.root)).toEqual({
      name: '',
      properties: [{ name: 'model', value: text('abcd') }],
      children: [
        {
          name: 'n@10',
          properties: [
            { name: 'reg', value: cells(0x10) },
            { name: 'done', value: none },
          ],
          children: [],
        },
      ],
    });
  });

  test('byte offsets of nodes and values', () => {
    const { root } = parseFdt(V17);
    expect(root.offset).toBe(0x4c);
    expect(root.properties[0].offset).toBe(0x60);
    expect(root.children[0].offset).toBe(0x6c);
    expect(root.children[0].properties.map(({ offset }) => offset)).toEqual([0x84, 0x98]);
  });

  test('version 16', () => {
    expect(parseFdt(V16)).toEqual({
      version: 16,
      bootCpuid: 0,
      reservations: [],
      root: { name: '', properties: [], children: [], offset: 0x38 },
    });
  });

  test('a later version that is compatible', () => {
    expect(parseFdt(withWord(V17, 0x14, 18)).version).toBe(18);
  });

  test('a view into a larger buffer, with bytes after it', () => {
    const buffer = new Uint8Array(V17.length + 11).fill(0xff);
    buffer.set(V17, 3);
    expect(parseFdt(buffer.subarray(3))).toEqual(parseFdt(V17));
  });

  test('a property after a child is one of its node', () => {
    const blob = hexBlob(`
      d00dfeed 0000006c 00000038 00000068 00000028 00000011 00000010 00000000 00000004 00000030
      00000000 00000000 00000000 00000000
      00000001 00000000          ; 0x38
      00000001 61000000 00000002 ; 0x40 the child a
      00000003 00000000 00000000 ; 0x4c
      00000002 00000009          ; 0x58
      00000000 00000000
      72656700                   ; 0x68 reg
    `);
    expect(parseFdt(blob).root.properties).toEqual([{ name: 'reg', value: none, offset: 0x58 }]);
  });
});

describe('malformed blobs', () => {
  const header: [string, number, number, string][] = [
    ['magic', 0x00, 0xd00dfeee, 'fdt header: magic 0xd00dfeee, 0xd00dfeed wanted (at 0x0)'],
    ['totalsize beyond the blob', 0x04, 0xc1, 'fdt header: totalsize 193, but the blob has 192 bytes (at 0x4)'],
    ['totalsize below the header', 0x04, 0x27, 'fdt header: totalsize 39 is less than the header (at 0x4)'],
    ['structure beyond the blob', 0x08, 0xc4, 'fdt header: block at 0xc4 is outside [0x28, 0xc0] (at 0x8)'],
    ['structure in the header', 0x08, 0x24, 'fdt header: block at 0x24 is outside [0x28, 0xc0] (at 0x8)'],
    ['structure misaligned', 0x08, 0x4a, 'fdt header: block at 0x4a is not aligned to 4 (at 0x8)'],
    ['strings beyond the blob', 0x0c, 0xffff_ffff, 'fdt header: block at 0xffffffff is outside [0x28, 0xc0] (at 0xc)'],
    ['reservations misaligned', 0x10, 0x2c, 'fdt header: block at 0x2c is not aligned to 8 (at 0x10)'],
    ['version 15', 0x14, 15, 'fdt header: version 15, 16 or later wanted (at 0x14)'],
    ['for version 18', 0x18, 18, 'fdt header: version 17 is compatible back to 18 only (at 0x18)'],
    ['strings too long', 0x20, 0x11, 'fdt header: block ends at 0xc1, past 0xc0 (at 0x20)'],
    ['structure too long', 0x24, 0xffff_ffff, 'fdt header: block ends at 0x100000047, past 0xc0 (at 0x24)'],
  ];
  test.each(header)('header: %s', (_title, offset, value, message) => {
    expect(firmwareErrorOf(() => parseFdt(withWord(V17, offset, value)))).toBe(message);
  });

  const structure: [string, number, number, string][] = [
    ['ends early', 0x24, 0x60, 'fdt structure block: the block ends without FDT_END (at 0xa8)'],
    ['ends within a property', 0x24, 0x48, 'fdt structure block: the block ends within a property (at 0x8c)'],
    ['property past the end', 0x7c, 0x2d, 'fdt structure block: a property of 45 bytes runs past the block (at 0x7c)'],
    [
      'absurd length',
      0x58,
      0xffff_ffff,
      'fdt structure block: a property of 4294967295 bytes runs past the block (at 0x58)',
    ],
    ['name outside', 0x5c, 0x10, 'fdt structure block: name at 0x10 is outside the 16 bytes of strings (at 0x5c)'],
    ['empty property name', 0x5c, 0x0f, 'fdt structure block: a property without a name (at 0x5c)'],
    ['unknown token', 0x68, 0x05, 'fdt structure block: unknown token 0x5 (at 0x68)'],
    ['node without a name', 0x70, 0, 'fdt structure block: a node without a name (at 0x70)'],
    ['root with a name', 0x50, 0x61000000, 'fdt structure block: the root node is called a (at 0x50)'],
    ['byte in a name', 0x70, 0x6e402f30, 'fdt structure block: byte 0x2f in a name (at 0x72)'],
    ['control byte in a name', 0x70, 0x6e400a30, 'fdt structure block: byte 0xa in a name (at 0x72)'],
    ['name without an end', 0x20, 0x0e, 'fdt strings block: a name without its NUL (at 0xba)'],
    ['property outside a node', 0x4c, 3, 'fdt structure block: a property outside any node (at 0x4c)'],
    ['end outside a node', 0x4c, 2, 'fdt structure block: FDT_END_NODE outside any node (at 0x4c)'],
    ['no root', 0x48, 9, 'fdt structure block: no root node (at 0x48)'],
    ['end within a node', 0xa4, 0, 'fdt structure block: unknown token 0x0 (at 0xa4)'],
    ['end within the root', 0x9c, 9, 'fdt structure block: FDT_END within node / (at 0x9c)'],
    ['second root', 0xa4, 1, 'fdt structure block: a second root node (at 0xa4)'],
    ['no end of reservations', 0x10, 0xb8, 'fdt memory reservation block: no terminating entry (at 0xb8)'],
  ];
  test.each(structure)('%s', (_title, offset, value, message) => {
    expect(firmwareErrorOf(() => parseFdt(withWord(V17, offset, value)))).toBe(message);
  });

  test('no byte of a truncated blob is missed', () => {
    for (let length = 0; length < V17.length; length++)
      expect(firmwareErrorOf(() => parseFdt(V17.subarray(0, length)))).toMatch(/^fdt header: .* \(at 0x[0-9a-f]+\)$/);
  });

  test('nodes nested 64 deep parse, 65 do not', () => {
    expect(parseFdt(nested(64)).root.children).toHaveLength(1);
    expect(firmwareErrorOf(() => parseFdt(nested(65)))).toBe(
      'fdt structure block: nodes nested deeper than 64 (at 0x238)',
    );
    expect(firmwareErrorOf(() => parseFdt(nested(100_000)))).toMatch(/nested deeper than 64/);
  });

  test('siblings and properties of one name', () => {
    const blob = V17.slice();
    blob.set([0, 0, 0, 6], 0x94);
    expect(firmwareErrorOf(() => parseFdt(blob))).toBe('/n@10: a second property reg (at 0x98)');
  });
});

/** A chain of `depth` nodes, the root included. */
function nested(depth: number): Uint8Array {
  const begin = '00000001 61000000 '.repeat(depth - 1);
  const blob = hexBlob(`
    d00dfeed 00000000 00000038 00000038 00000028 00000010 00000010 00000000 00000000 00000000
    00000000 00000000 00000000 00000000
    00000001 00000000 ${begin} ${'00000002 '.repeat(depth)} 00000009
  `);
  return withWord(blob, 0x04, blob.length);
}
