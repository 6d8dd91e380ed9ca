// SPDX-License-Identifier: Apache-2.0
// A tree as devicetree source, version 1: Devicetree Specification v0.4, chapter 6. The source has no word for the boot
// processor: dtc takes it from its option -b, or from the first node of /cpus.

import { FirmwareError } from '@irqkit/core';
import { checkTree } from './check-tree.js';
import type { Fdt, FdtNode } from './fdt.js';
import { printValue } from './print-value.js';

/** What dtc reads as a name: its lexer's PROPNODECHAR. */
const SOURCE_NAME = /^[0-9A-Za-z,._+*#?@-]+$/;

/**
 * Source that dtc compiles back to the same tree: strings, cells or bytes by what the values look like.
 * @throws FirmwareError for a name that source cannot spell, and where `writeFdt` throws.
 */
export function printDts(tree: Fdt): string {
  checkTree(tree);
  const lines = ['/dts-v1/;', ''];
  for (const { address, sizeBytes } of tree.reservations)
    lines.push(`/memreserve/ 0x${address.toString(16)} 0x${sizeBytes.toString(16)};`);
  if (tree.reservations.length > 0) lines.push('');
  printNode(tree.root, undefined, '', '/', lines);
  return `${lines.join('\n')}\n`;
}

function printNode(node: FdtNode, parent: FdtNode | undefined, indent: string, path: string, lines: string[]): void {
  const inner = `${indent}\t`;
  lines.push(`${indent}${node.name || '/'} {`);
  for (const property of node.properties) {
    requireSpelling(property.name, path, property.offset);
    const value = printValue(property, node, parent, inner);
    lines.push(value === '' ? `${inner}${property.name};` : `${inner}${property.name} = ${value};`);
  }
  node.children.forEach((child, index) => {
    requireSpelling(child.name, path, child.offset);
    if (index > 0 || node.properties.length > 0) lines.push('');
    printNode(child, node, inner, `${path === '/' ? '' : path}/${child.name}`, lines);
  });
  lines.push(`${indent}};`);
}

function requireSpelling(name: string, path: string, offset: number | undefined): void {
  if (!SOURCE_NAME.test(name)) throw new FirmwareError(path, `devicetree source cannot spell the name ${name}`, offset);
}
