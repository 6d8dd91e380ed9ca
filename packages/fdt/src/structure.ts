// SPDX-License-Identifier: Apache-2.0
// Reading the structure block: Devicetree Specification v0.4, sections 5.4 (tokens) and 5.5 (strings).
// A property after a child node is accepted, as dtc does; the writer puts it back before the children.

import { alignUp, hex } from '@irqkit/bits';
import { FirmwareError } from '@irqkit/core';
import type { FdtNode, FdtProperty } from './fdt.js';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_NOP, FDT_PROP, MAX_DEPTH } from './format.js';
import type { Block } from './header.js';
import { readName } from './names.js';

const PLACE = 'fdt structure block';
const STRINGS_PLACE = 'fdt strings block';

interface OpenNode extends FdtNode {
  readonly properties: FdtProperty[];
  readonly children: OpenNode[];
}

/**
 * The root node of a blob.
 * @throws FirmwareError with the byte offset within the blob.
 */
export function readStructure(bytes: Uint8Array, view: DataView, structure: Block, strings: Block): FdtNode {
  const fail = (message: string, offset: number): FirmwareError => new FirmwareError(PLACE, message, offset);
  const names = new Map<number, string>();
  const nameAt = (offset: number, user: number): string => {
    const known = names.get(offset);
    if (known !== undefined) return known;
    if (strings.start + offset >= strings.end)
      throw fail(`name at ${hex(offset)} is outside the ${strings.end - strings.start} bytes of strings`, user);
    const name = readName(bytes, strings.start + offset, strings.end, STRINGS_PLACE);
    if (name === '') throw fail('a property without a name', user);
    names.set(offset, name);
    return name;
  };

  const { end } = structure;
  const open: OpenNode[] = [];
  let root: OpenNode | undefined;
  let at = structure.start;
  for (;;) {
    if (at + 4 > end) throw fail('the block ends without FDT_END', at);
    const token = view.getUint32(at);
    const node = open.at(-1);
    switch (token) {
      case FDT_BEGIN_NODE: {
        if (node === undefined && root !== undefined) throw fail('a second root node', at);
        if (open.length === MAX_DEPTH) throw fail(`nodes nested deeper than ${MAX_DEPTH}`, at);
        const name = readName(bytes, at + 4, end, PLACE);
        if ((name === '') !== (node === undefined))
          throw fail(node === undefined ? `the root node is called ${name}` : 'a node without a name', at + 4);
        const begun: OpenNode = { name, properties: [], children: [], offset: at };
        if (node === undefined) root = begun;
        else node.children.push(begun);
        open.push(begun);
        at = alignUp(at + 4 + name.length + 1, 4);
        break;
      }
      case FDT_END_NODE:
        if (open.pop() === undefined) throw fail('FDT_END_NODE outside any node', at);
        at += 4;
        break;
      case FDT_PROP: {
        if (node === undefined) throw fail('a property outside any node', at);
        if (at + 12 > end) throw fail('the block ends within a property', at);
        const length = view.getUint32(at + 4);
        const offset = at + 12;
        if (offset + length > end) throw fail(`a property of ${length} bytes runs past the block`, at + 4);
        const name = nameAt(view.getUint32(at + 8), at + 8);
        node.properties.push({ name, value: bytes.subarray(offset, offset + length), offset });
        at = alignUp(offset + length, 4);
        break;
      }
      case FDT_NOP:
        at += 4;
        break;
      case FDT_END:
        if (root === undefined) throw fail('no root node', at);
        if (node !== undefined) throw fail(`FDT_END within node ${node.name || '/'}`, at);
        return root;
      default:
        throw fail(`unknown token ${hex(token)}`, at);
    }
  }
}
