// SPDX-License-Identifier: Apache-2.0
// The platforms that ship with the package, as they are and changed.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firmwareFromFdt, parseFdt, writeFdt } from '@irqkit/fdt';
import type { FdtNode, FdtProperty } from '@irqkit/fdt';
import type { Firmware } from '@irqkit/core';

export const PLATFORM = fileURLToPath(new URL('../platforms/virt-gic-v3-its-smmu-v3.dtb', import.meta.url));
export const ITS_PLATFORM = fileURLToPath(new URL('../platforms/virt-gic-v3-its.dtb', import.meta.url));
export const V2M_PLATFORM = fileURLToPath(new URL('../platforms/virt-gic-v2m.dtb', import.meta.url));

const scratch = mkdtempSync(join(tmpdir(), 'irqkit-cli-'));
afterAll(() => rmSync(scratch, { recursive: true }));
let nrFiles = 0;

/** A file with that content, gone after the tests. */
export function fileOf(content: string | Uint8Array): string {
  const path = join(scratch, `file-${nrFiles++}`);
  writeFileSync(path, content);
  return path;
}

/** What becomes of one node: undefined takes it out. */
export type Change = (node: FdtNode) => FdtNode | undefined;

/** The blob of a platform with its node `name` changed. */
export function changedPlatform(name: string, change: Change, platform = V2M_PLATFORM): Uint8Array {
  const tree = parseFdt(readFileSync(platform));
  const walk = (node: FdtNode): FdtNode[] => {
    const children = node.children.flatMap(walk);
    const changed = node.name === name ? change({ ...node, children }) : { ...node, children };
    return changed ? [changed] : [];
  };
  return writeFdt({ ...tree, root: walk(tree.root)[0] });
}

export function firmware(blob: Uint8Array = readFileSync(PLATFORM)): Firmware {
  return firmwareFromFdt(blob);
}

/** The node with properties set, or taken out where the value is undefined. */
export function withProperties(node: FdtNode, values: Readonly<Record<string, string | number | undefined>>): FdtNode {
  const kept = node.properties.filter(({ name }) => !(name in values));
  const set = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [property(name, value)]));
  return { ...node, properties: [...kept, ...set] };
}

function property(name: string, value: string | number): FdtProperty {
  if (typeof value === 'string') return { name, value: new TextEncoder().encode(`${value}\0`) };
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return { name, value: bytes };
}
