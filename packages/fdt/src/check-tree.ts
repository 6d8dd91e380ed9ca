// SPDX-License-Identifier: Apache-2.0
// What every tree must hold to before it is written, printed or decoded. As for dtc, siblings and properties of one node have
// names of their own: a path means one node.

import { FirmwareError } from '@irqkit/core';
import type { Fdt, FdtNode } from './fdt.js';
import { MAX_DEPTH, MAX_PATH } from './format.js';
import { isName } from './names.js';

interface Named {
  readonly name: string;
  readonly offset?: number;
}

/** Up to this many a scan is faster than a Set. */
const FEW = 12;
/** Characters of an overlong path that its error shows. */
const SHOWN = 64;

/** @throws FirmwareError with the node's path for a name that is none, and where `checkShape` throws. */
export function checkTree(tree: Fdt): void {
  if (tree.root.name !== '') throw new FirmwareError('/', `the root node is called ${tree.root.name}`);
  checkNode(tree.root, '/', 1, (path, items, what) => {
    for (const { name, offset } of items)
      if (!isName(name)) throw new FirmwareError(path, `no ${what} can be called ${JSON.stringify(name)}`, offset);
    checkUnique(path, items, what);
  });
}

/** @throws FirmwareError with the node's path for a repeated name, a tree too deep or a path too long. */
export function checkShape(tree: Fdt): void {
  checkNode(tree.root, '/', 1, checkUnique);
}

type Check = (path: string, items: readonly Named[], what: string) => void;

function checkNode(node: FdtNode, path: string, depth: number, check: Check): void {
  if (depth > MAX_DEPTH) throw new FirmwareError(path, `nodes nested deeper than ${MAX_DEPTH}`, node.offset);
  if (path.length > MAX_PATH)
    throw new FirmwareError(`${path.slice(0, SHOWN)}…`, `a path longer than ${MAX_PATH}`, node.offset);
  check(path, node.properties, 'property');
  check(path, node.children, 'node');
  const prefix = path === '/' ? path : `${path}/`;
  for (const child of node.children) checkNode(child, prefix + child.name, depth + 1, check);
}

function checkUnique(path: string, items: readonly Named[], what: string): void {
  const seen = items.length > FEW ? new Set<string>() : undefined;
  for (let at = 0; at < items.length; at++) {
    const { name, offset } = items[at];
    if (seen === undefined ? isAmongFirst(items, at, name) : seen.has(name))
      throw new FirmwareError(path, `a second ${what} ${name}`, offset);
    seen?.add(name);
  }
}

function isAmongFirst(items: readonly Named[], count: number, name: string): boolean {
  for (let at = 0; at < count; at++) if (items[at].name === name) return true;
  return false;
}
