// SPDX-License-Identifier: Apache-2.0
// Devicetree source as a person would write it: Devicetree Specification v0.4, chapter 6.

import { printDts } from '@irqkit/fdt';
import { firmwareErrorOf } from './firmware-error.js';
import { cells, node, none, text, tree } from './tree.js';

const printed = (name: string, value: Uint8Array): string => {
  const [, line] = printDts(tree({ [name]: value })).match(/\n\t([^]*);\n};\n$/) ?? [];
  return line;
};

describe('printDts', () => {
  test('reservations, properties, nodes', () => {
    const { root } = tree(
      { '#address-cells': cells(2), '#size-cells': cells(1), compatible: text('a,b', 'c') },
      node('empty'),
      node('memory@40000000', { device_type: text('memory'), reg: cells(0, 0x4000_0000, 0x100, 1, 0, 0x200) }),
    );
    const reservations = [{ address: 0xffff_ffff_0000_0000n, sizeBytes: 0x1000n }];
    expect(printDts({ version: 17, bootCpuid: 0, reservations, root })).toBe(`/dts-v1/;

/memreserve/ 0xffffffff00000000 0x1000;

/ {
	#address-cells = <0x2>;
	#size-cells = <0x1>;
	compatible = "a,b", "c";

	empty {
	};

	memory@40000000 {
		device_type = "memory";
		reg = <0x0 0x40000000 0x100>, <0x1 0x0 0x200>;
	};
};
`);
  });

  test.each([
    ['flag', none, 'flag'],
    ['a', cells(1, 0xffff_ffff), 'a = <0x1 0xffffffff>'],
    ['a', Uint8Array.of(1, 2, 0xab), 'a = [01 02 ab]'],
    ['a', text('two', 'words'), 'a = "two", "words"'],
    ['a', text('say "a\\b"\t\r\n'), 'a = "say \\"a\\\\b\\"\\t\\r\\n"'],
    // Not text: no NUL at the end, an empty string, a byte outside ASCII.
    ['a', cells(0x61626364), 'a = <0x61626364>'],
    ['a', cells(0x61620000), 'a = <0x61620000>'],
    ['a', Uint8Array.of(0), 'a = [00]'],
    ['a', Uint8Array.of(0xc3, 0xa9, 0), 'a = [c3 a9 00]'],
    // Names that say what the value is.
    ['reg', cells(0x61626300, 0x61626300, 0x61626300), 'reg = <0x61626300 0x61626300 0x61626300>'],
    ['#size-cells', cells(0x61626300), '#size-cells = <0x61626300>'],
    ['bootargs', text(''), 'bootargs = ""'],
    ['gpio-line-names', text('', '', 'led', ''), 'gpio-line-names = "", "", "led", ""'],
    ['interrupt-names', text('tx'), 'interrupt-names = "tx"'],
    ['interrupt-parent', cells(0x61626300), 'interrupt-parent = <0x61626300>'],
  ])('%s', (name, value, line) => {
    expect(printed(name, value)).toBe(line);
  });

  test('long values break at entries', () => {
    expect(printed('iommu-map', cells(...new Array<number>(12).fill(0x1234_5678)))).toBe(
      'iommu-map = <0x12345678 0x12345678 0x12345678 0x12345678>,\n\t\t<0x12345678 0x12345678 0x12345678 0x12345678>,' +
        '\n\t\t<0x12345678 0x12345678 0x12345678 0x12345678>',
    );
    expect(printed('a', new Uint8Array(33))).toBe(
      `a = [${'00 '.repeat(15)}00],\n\t\t[${'00 '.repeat(15)}00],\n\t\t[00]`,
    );
  });

  test('a megabyte of text', () => {
    expect(printed('a', text('x'.repeat(2 ** 20)))).toHaveLength(2 ** 20 + 6);
  });

  test('names that source cannot spell', () => {
    expect(firmwareErrorOf(() => printDts(tree({}, node('a', { 'b=c': none }))))).toBe(
      '/a: devicetree source cannot spell the name b=c',
    );
    expect(firmwareErrorOf(() => printDts(tree({}, node('a', {}, node('{')))))).toBe(
      '/a: devicetree source cannot spell the name {',
    );
  });
});
