// SPDX-License-Identifier: Apache-2.0
// Trees as tests write them: `tree(node('a@0', { reg: cells(0, 16), 'no-value': none }))`.

import type { Fdt, FdtNode } from '@irqkit/fdt';

export const none = new Uint8Array(0);

export function cells(...values: number[]): Uint8Array {
  return cellsOf(values);
}

/** For more cells than a call takes arguments. */
export function cellsOf(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setUint32(index * 4, value));
  return bytes;
}

export function text(...strings: string[]): Uint8Array {
  return new TextEncoder().encode(strings.map((string) => `${string}\0`).join(''));
}

export function node(name: string, properties: Record<string, Uint8Array> = {}, ...children: FdtNode[]): FdtNode {
  return { name, properties: Object.entries(properties).map(([name, value]) => ({ name, value })), children };
}

export function tree(properties: Record<string, Uint8Array>, ...children: FdtNode[]): Fdt {
  return { version: 17, bootCpuid: 0, reservations: [], root: node('', properties, ...children) };
}

/** The tree without its byte offsets, which only a parsed one has. */
export function withoutOffsets({ name, properties, children }: FdtNode): FdtNode {
  return {
    name,
    properties: properties.map(({ name, value }) => ({ name, value })),
    children: children.map(withoutOffsets),
  };
}

/** Where two trees differ in names, order or bytes; undefined where they do not. For trees too large for `toEqual`. */
export function differenceOf(a: FdtNode, b: FdtNode, path = ''): string | undefined {
  const at = `${path}/${a.name}`;
  if (a.name !== b.name || a.properties.length !== b.properties.length || a.children.length !== b.children.length)
    return at;
  for (const [index, { name, value }] of a.properties.entries()) {
    const other = b.properties[index];
    if (other.name !== name || Buffer.compare(other.value, value) !== 0) return `${at} ${name}`;
  }
  for (const [index, child] of a.children.entries()) {
    const difference = differenceOf(child, b.children[index], at);
    if (difference !== undefined) return difference;
  }
  return undefined;
}
