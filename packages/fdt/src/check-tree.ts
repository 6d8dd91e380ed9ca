// SPDX-License-Identifier: Apache-2.0
// What every tree must hold to before it is written, printed or decoded. As for dtc, siblings and properties of one node have
// names of their own: a path means one node.

import { FirmwareError } from '@irqkit/core';
import type { Fdt, FdtNode } from './fdt.js';
import { MAX_DEPTH, MAX_PATH } from './format.js';
import { isName } from './names.js';

/** Below this many a scan is faster than a Set. */
const FEW = 12;
/** Characters of an overlong path that its error shows. */
const SHOWN = 64;

/** @throws FirmwareError with the node's path for a bad or repeated name, or a tree too deep. */
export function checkTree(tree: Fdt): void {
  if (tree.root.name !== '') throw new FirmwareError('/', `the root node is called ${tree.root.name}`);
  checkNode(tree.root, '/', 1);
}

function checkNode(node: FdtNode, path: string, depth: number): void {
  if (depth > MAX_DEPTH) throw new FirmwareError(path, `nodes nested deeper than ${MAX_DEPTH}`, node.offset);
  if (path.length > MAX_PATH)
    throw new FirmwareError(`${path.slice(0, SHOWN)}…`, `a path longer than ${MAX_PATH}`, node.offset);
  checkNames(node.properties, path, 'property');
  checkNames(node.children, path, 'node');
  const prefix = path === '/' ? path : `${path}/`;
  for (const child of node.children) checkNode(child, prefix + child.name, depth + 1);
}

function checkNames(items: readonly { name: string; offset?: number }[], path: string, what: string): void {
  const seen = items.length > FEW ? new Set<string>() : undefined;
  for (const [index, { name, offset }] of items.entries()) {
    if (!isName(name)) throw new FirmwareError(path, `no ${what} can be called ${JSON.stringify(name)}`, offset);
    const repeated = seen === undefined ? isBefore(items, index, name) : seen.size === seen.add(name).size;
    if (repeated) throw new FirmwareError(path, `a second ${what} ${name}`, offset);
  }
}

function isBefore(items: readonly { name: string }[], index: number, name: string): boolean {
  for (let at = 0; at < index; at++) if (items[at].name === name) return true;
  return false;
}
