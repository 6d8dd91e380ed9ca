// SPDX-License-Identifier: Apache-2.0
// Reading a blob's header: Devicetree Specification v0.4, section 5.2. Every block it names lies within the blob afterwards.

import { hex } from '@irqkit/bits';
import { FirmwareError } from '@irqkit/core';
import { FDT_FIRST_VERSION, FDT_MAGIC, FDT_VERSION, HEADER } from './format.js';

/** A block's byte range: from `start` up to, not including, `end`. */
export interface Block {
  readonly start: number;
  readonly end: number;
}

export interface Header {
  readonly version: number;
  readonly bootCpuid: number;
  readonly reservations: Block;
  readonly structure: Block;
  readonly strings: Block;
}

const PLACE = 'fdt header';

/** @throws FirmwareError with the offset of the word that is wrong. */
export function readHeader(view: DataView): Header {
  const fail = (message: string, field: number): FirmwareError => new FirmwareError(PLACE, message, field);
  const word = (field: number): number => view.getUint32(field);
  if (view.byteLength < HEADER.bytesV16)
    throw fail(`${view.byteLength} bytes, ${HEADER.bytesV16} wanted`, view.byteLength);
  if (word(HEADER.magic) !== FDT_MAGIC)
    throw fail(`magic ${hex(word(HEADER.magic), 8)}, ${hex(FDT_MAGIC)} wanted`, HEADER.magic);

  const version = word(HEADER.version);
  const lastCompVersion = word(HEADER.last_comp_version);
  // UNIMP: blobs older than version 16
  if (version < FDT_FIRST_VERSION)
    throw fail(`version ${version}, ${FDT_FIRST_VERSION} or later wanted`, HEADER.version);
  if (lastCompVersion > FDT_VERSION || lastCompVersion > version)
    throw fail(`version ${version} is compatible back to ${lastCompVersion} only`, HEADER.last_comp_version);

  const totalsize = word(HEADER.totalsize);
  const headerBytes = version >= FDT_VERSION ? HEADER.bytes : HEADER.bytesV16;
  if (totalsize > view.byteLength)
    throw fail(`totalsize ${totalsize}, but the blob has ${view.byteLength} bytes`, HEADER.totalsize);
  if (totalsize < headerBytes) throw fail(`totalsize ${totalsize} is less than the header`, HEADER.totalsize);

  const block = (field: number, align: number, sizeField?: number): Block => {
    const start = word(field);
    if (start < headerBytes || start > totalsize)
      throw fail(`block at ${hex(start)} is outside [${hex(headerBytes)}, ${hex(totalsize)}]`, field);
    if (start % align !== 0) throw fail(`block at ${hex(start)} is not aligned to ${align}`, field);
    const end = sizeField === undefined ? totalsize : start + word(sizeField);
    if (end > totalsize) throw fail(`block ends at ${hex(end)}, past ${hex(totalsize)}`, sizeField ?? field);
    return { start, end };
  };
  return {
    version,
    bootCpuid: word(HEADER.boot_cpuid_phys),
    reservations: block(HEADER.off_mem_rsvmap, 8),
    structure: block(HEADER.off_dt_struct, 4, version >= FDT_VERSION ? HEADER.size_dt_struct : undefined),
    strings: block(HEADER.off_dt_strings, 1, HEADER.size_dt_strings),
  };
}
