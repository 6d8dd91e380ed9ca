// SPDX-License-Identifier: Apache-2.0
// Writing blobs of version 17: Devicetree Specification v0.4, chapter 5. Blocks follow one another without gaps: header,
// reservations, structure, strings.

import { alignUp } from '@irqkit/bits';
import { FirmwareError } from '@irqkit/core';
import { checkTree } from './check-tree.js';
import type { Fdt, FdtNode, FdtReservation } from './fdt.js';
import {
  FDT_BEGIN_NODE,
  FDT_END,
  FDT_END_NODE,
  FDT_FIRST_VERSION,
  FDT_MAGIC,
  FDT_PROP,
  FDT_VERSION,
  HEADER,
  RESERVATION_BYTES,
} from './format.js';

/**
 * The blob of a tree.
 * @throws FirmwareError where a name is none, a node or property stands twice, nodes nest too deep, or a number does not fit.
 */
export function writeFdt(tree: Fdt): Uint8Array {
  checkTree(tree);
  if (!Number.isInteger(tree.bootCpuid) || tree.bootCpuid < 0 || tree.bootCpuid > 0xffff_ffff)
    throw new FirmwareError('fdt header', `boot_cpuid_phys ${tree.bootCpuid} is no 32-bit number`);
  tree.reservations.forEach(checkReservation);

  const strings = new StringTable();
  const structureBytes = measure(tree.root, strings) + 4;
  const structureAt = HEADER.bytes + (tree.reservations.length + 1) * RESERVATION_BYTES;
  const stringsAt = structureAt + structureBytes;
  const blob = new Uint8Array(stringsAt + strings.sizeBytes);
  const view = new DataView(blob.buffer);

  view.setUint32(HEADER.magic, FDT_MAGIC);
  view.setUint32(HEADER.totalsize, blob.length);
  view.setUint32(HEADER.off_dt_struct, structureAt);
  view.setUint32(HEADER.off_dt_strings, stringsAt);
  view.setUint32(HEADER.off_mem_rsvmap, HEADER.bytes);
  view.setUint32(HEADER.version, FDT_VERSION);
  view.setUint32(HEADER.last_comp_version, FDT_FIRST_VERSION);
  view.setUint32(HEADER.boot_cpuid_phys, tree.bootCpuid);
  view.setUint32(HEADER.size_dt_strings, strings.sizeBytes);
  view.setUint32(HEADER.size_dt_struct, structureBytes);
  tree.reservations.forEach(({ address, sizeBytes }, index) => {
    view.setBigUint64(HEADER.bytes + index * RESERVATION_BYTES, address);
    view.setBigUint64(HEADER.bytes + index * RESERVATION_BYTES + 8, sizeBytes);
  });
  const end = put(tree.root, structureAt, blob, view, strings);
  view.setUint32(end, FDT_END);
  strings.put(blob, stringsAt);
  return blob;
}

/** Every property name once, NUL-terminated. */
class StringTable {
  readonly #offsets = new Map<string, number>();
  sizeBytes = 0;

  add(name: string): void {
    if (this.#offsets.has(name)) return;
    this.#offsets.set(name, this.sizeBytes);
    this.sizeBytes += name.length + 1;
  }

  offsetOf(name: string): number {
    return this.#offsets.get(name) ?? 0;
  }

  put(blob: Uint8Array, at: number): void {
    for (const [name, offset] of this.#offsets) putName(name, blob, at + offset);
  }
}

function checkReservation({ address, sizeBytes }: FdtReservation, index: number): void {
  const place = `fdt memory reservation ${index}`;
  if (sizeBytes === 0n) throw new FirmwareError(place, 'size 0 would end the block');
  for (const value of [address, sizeBytes])
    if (BigInt.asUintN(64, value) !== value) throw new FirmwareError(place, `${value} is no 64-bit number`);
}

/** Bytes of a node in the structure block; its names go into `strings`. */
function measure(node: FdtNode, strings: StringTable): number {
  let bytes = 4 + alignUp(node.name.length + 1, 4) + 4;
  for (const { name, value } of node.properties) {
    strings.add(name);
    bytes += 12 + alignUp(value.length, 4);
  }
  for (const child of node.children) bytes += measure(child, strings);
  return bytes;
}

/** Writes a node at `start`; returns where it ends. */
function put(node: FdtNode, start: number, blob: Uint8Array, view: DataView, strings: StringTable): number {
  view.setUint32(start, FDT_BEGIN_NODE);
  putName(node.name, blob, start + 4);
  let at = start + 4 + alignUp(node.name.length + 1, 4);
  for (const { name, value } of node.properties) {
    view.setUint32(at, FDT_PROP);
    view.setUint32(at + 4, value.length);
    view.setUint32(at + 8, strings.offsetOf(name));
    blob.set(value, at + 12);
    at += 12 + alignUp(value.length, 4);
  }
  for (const child of node.children) at = put(child, at, blob, view, strings);
  view.setUint32(at, FDT_END_NODE);
  return at + 4;
}

/** The blob is zeroed, so the NUL is there. */
function putName(name: string, blob: Uint8Array, at: number): void {
  for (let index = 0; index < name.length; index++) blob[at + index] = name.charCodeAt(index);
}
