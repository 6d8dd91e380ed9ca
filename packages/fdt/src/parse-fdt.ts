// SPDX-License-Identifier: Apache-2.0
// Devicetree blobs, versions 16 and 17: Devicetree Specification v0.4, chapter 5.

import { FirmwareError } from '@irqkit/core';
import { checkShape } from './check-tree.js';
import type { Fdt, FdtReservation } from './fdt.js';
import { RESERVATION_BYTES } from './format.js';
import { readHeader } from './header.js';
import type { Block } from './header.js';
import { readStructure } from './structure.js';

/**
 * The tree of a blob; property values are views of `blob`. Bytes beyond its `totalsize` are ignored.
 * @throws FirmwareError with the byte offset of what is malformed.
 */
export function parseFdt(blob: Uint8Array): Fdt {
  const bytes = new Uint8Array(blob.buffer, blob.byteOffset, blob.byteLength);
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const header = readHeader(view);
  const tree = {
    version: header.version,
    bootCpuid: header.bootCpuid,
    reservations: readReservations(view, header.reservations),
    root: readStructure(bytes, view, header.structure, header.strings),
  };
  checkShape(tree);
  return tree;
}

// The specification ends the block with an entry of two zeros; libfdt and dtc end it with the first of size 0, whatever its address.
function readReservations(view: DataView, block: Block): readonly FdtReservation[] {
  const reservations: FdtReservation[] = [];
  for (let at = block.start; at + RESERVATION_BYTES <= block.end; at += RESERVATION_BYTES) {
    const sizeBytes = view.getBigUint64(at + 8);
    if (sizeBytes === 0n) return reservations;
    reservations.push({ address: view.getBigUint64(at), sizeBytes });
  }
  throw new FirmwareError('fdt memory reservation block', 'no terminating entry', block.start);
}
