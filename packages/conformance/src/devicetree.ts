// SPDX-License-Identifier: Apache-2.0
// Devicetrees as tests write them.

import type { Firmware } from '@irqkit/core';
import { firmwareFromFdt } from '@irqkit/fdt';
import type { FdtNode } from '@irqkit/fdt';

/** Cells, strings, or `true` for a property that has no value. */
export type PropertyValue = number | readonly number[] | string | readonly string[] | true;

/** A node: its properties by name, and its children by name with unit address. */
export interface DevicetreeNode {
  readonly [name: string]: PropertyValue | DevicetreeNode;
}

/**
 * The firmware of a tree: `devicetree({ 'intc@1000': { compatible: 'acme,intc', reg: [0x1000, 0x1000] } })`.
 * @throws FirmwareError as firmwareFromFdt
 */
export function devicetree(root: DevicetreeNode): Firmware {
  return firmwareFromFdt({ version: 17, bootCpuid: 0, reservations: [], root: nodeOf('', root) });
}

function nodeOf(name: string, content: DevicetreeNode): FdtNode {
  const entries = Object.entries(content);
  return {
    name,
    properties: entries.flatMap(([key, value]) => (isNode(value) ? [] : [{ name: key, value: bytesOf(value) }])),
    children: entries.flatMap(([key, value]) => (isNode(value) ? [nodeOf(key, value)] : [])),
  };
}

function isNode(value: PropertyValue | DevicetreeNode): value is DevicetreeNode {
  return typeof value === 'object' && !Array.isArray(value);
}

function bytesOf(value: PropertyValue): Uint8Array {
  if (value === true) return new Uint8Array();
  const items = typeof value === 'object' ? value : [value];
  return Uint8Array.from(items.flatMap((item) => (typeof item === 'string' ? textOf(item) : cellOf(item))));
}

const textOf = (text: string): number[] => [...new TextEncoder().encode(text), 0];

// Devicetree Specification v0.4, section 2.2.4: cells are big-endian.
const cellOf = (cell: number): number[] => [24, 16, 8, 0].map((shift) => (cell >>> shift) & 0xff);
