// SPDX-License-Identifier: Apache-2.0
// A property's value as devicetree source. A blob does not say what a value is: its name may tell, else its bytes.

import { cellAt } from './cells.js';
import type { FdtNode, FdtProperty } from './fdt.js';
import { decodeStrings } from './strings.js';

/** Properties that are text whatever they hold, empty strings too. */
const TEXT = /^(compatible|model|status|label|bootargs|device_type)$|(^|-)names$/;
/** Properties that are cells even where their bytes could be text. */
const CELLS =
  /^#|^reg$|ranges$|phandle$|^interrupts(-extended)?$|^interrupt-(parent|map)|^(msi|iommu)-(parent|map)|^iommus$/;

/** Cells in one line where the property has no entries of known length. */
const LINE_CELLS = 8;
const LINE_BYTES = 16;
const LINE_WIDTH = 100;
const ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** Empty for a property without a value. */
export function printValue(
  { name, value }: FdtProperty,
  node: FdtNode,
  parent: FdtNode | undefined,
  indent: string,
): string {
  if (value.length === 0) return '';
  const whole = value.length % 4 === 0;
  if (!(whole && CELLS.test(name)) && isText(value, TEXT.test(name))) return layOut(textOf(value), indent);
  if (!whole) return layOut(grouped(bytesOf(value), LINE_BYTES, '[', ']'), indent);
  const entry = entryCells(name, node, parent);
  const cells = cellsOf(value);
  return layOut(grouped(cells, entry > 0 && cells.length % entry === 0 ? entry : LINE_CELLS, '<', '>'), indent);
}

function isText(value: Uint8Array, mayBeEmpty: boolean): boolean {
  if (value[value.length - 1] !== 0) return false;
  return value.every((byte, at) => {
    if (byte === 0) return mayBeEmpty || (at > 0 && value[at - 1] !== 0);
    return (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d;
  });
}

function textOf(value: Uint8Array): readonly string[] {
  return decodeStrings(value).map((text) => `"${text.replace(/["\\\t\n\r]/g, (char) => ESCAPES[char])}"`);
}

function cellsOf(value: Uint8Array): readonly string[] {
  return Array.from({ length: value.length / 4 }, (_, cell) => `0x${cellAt(value, cell * 4).toString(16)}`);
}

function bytesOf(value: Uint8Array): readonly string[] {
  return Array.from(value, (byte) => byte.toString(16).padStart(2, '0'));
}

/** Cells of one entry of a property, 0 where that is not known. */
function entryCells(name: string, node: FdtNode, parent: FdtNode | undefined): number {
  switch (name) {
    case 'reg':
      return count(parent, '#address-cells', 2) + count(parent, '#size-cells', 1);
    case 'ranges':
    case 'dma-ranges':
      return count(node, '#address-cells', 2) + count(parent, '#address-cells', 2) + count(node, '#size-cells', 1);
    case 'msi-map':
    case 'iommu-map':
      return 4;
    default:
      return 0;
  }
}

function count(node: FdtNode | undefined, name: string, otherwise: number): number {
  const value = node?.properties.find((property) => property.name === name)?.value;
  return value?.length === 4 ? cellAt(value, 0) : otherwise;
}

function grouped(items: readonly string[], size: number, open: string, close: string): readonly string[] {
  const groups: string[] = [];
  for (let at = 0; at < items.length; at += size) groups.push(`${open}${items.slice(at, at + size).join(' ')}${close}`);
  return groups;
}

/** In one line where it fits. */
function layOut(parts: readonly string[], indent: string): string {
  const line = parts.join(', ');
  return line.length <= LINE_WIDTH ? line : parts.join(`,\n${indent}\t`);
}
