// SPDX-License-Identifier: Apache-2.0
// Recorded board devicetrees with nodes changed: controllers that boot loaders enable, and PCI hosts that nobody here drives made
// plain ECAM ones.

import { readFileSync } from 'node:fs';
import { sharedPath } from '@irqkit-test/env';
import type { Firmware } from '@irqkit/core';
import { firmwareFromFdt, parseFdt } from '@irqkit/fdt';
import type { FdtNode, FdtProperty } from '@irqkit/fdt';

/** Cells, a string, `true` for a property that has no value, and undefined for one that is taken away. */
export type Changes = Readonly<Record<string, readonly number[] | string | true | undefined>>;

/** A tree of data/dtb/boards with the properties of some nodes changed, by path. @throws Error for a path that it does not have */
export function boardTree(file: string, changes: Readonly<Record<string, Changes>> = {}): Firmware {
  const tree = parseFdt(readFileSync(sharedPath('data/dtb/boards', file)));
  const left = new Set(Object.keys(changes));
  const changed = (node: FdtNode, path: string): FdtNode => {
    left.delete(path || '/');
    return {
      ...node,
      properties: propertiesOf(node, changes[path || '/']),
      children: node.children.map((child) => changed(child, `${path}/${child.name}`)),
    };
  };
  const root = changed(tree.root, '');
  if (left.size > 0) throw new Error(`${file} has no ${[...left].join(', ')}`);
  return firmwareFromFdt({ ...tree, root });
}

function propertiesOf({ properties }: FdtNode, changes: Changes = {}): FdtProperty[] {
  const kept = properties.filter(({ name }) => !(name in changes));
  const made = Object.entries(changes).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value: bytesOf(value) }],
  );
  return [...kept, ...made];
}

function bytesOf(value: readonly number[] | string | true): Uint8Array {
  if (value === true) return new Uint8Array();
  if (typeof value === 'string') return new TextEncoder().encode(`${value}\0`);
  const bytes = new Uint8Array(value.length * 4);
  const view = new DataView(bytes.buffer);
  value.forEach((cell, n) => view.setUint32(n * 4, cell));
  return bytes;
}
