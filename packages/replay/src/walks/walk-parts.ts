// SPDX-License-Identifier: Apache-2.0
// What every file of recorded walks is made of.

import { CaptureError } from '../capture/capture-error.js';
import type { JsonRecord } from '../capture/json-lines.js';
import type { Pair, WalkTables } from './walks.js';

/** The recorder's RAM: what is outside aborts. */
export const RAM = { base: 0x4000_0000, sizeBytes: 0x1000_0000 } as const;

/** Values of identification registers by name. @throws CaptureError */
export function siliconIn(record: JsonRecord): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.keys(record.fields).map((name) => [name, record.word(name)]));
}

/** STE, CD and the words of RAM. @throws CaptureError */
export function tablesIn(record: JsonRecord): WalkTables {
  const ram = record.record('ram');
  return {
    ste: structureIn(record, 'ste'),
    ...(record.has('cd') ? { cd: structureIn(record, 'cd') } : {}),
    ram: new Map(Object.keys(ram.fields).map((key): [number, Pair] => [doublewordAt(ram, key), ram.words(key)])),
  };
}

/** An address in RAM that a record names. @throws CaptureError */
export function ramAddressIn(record: JsonRecord, name: string, sizeBytes: number): number {
  const address = record.address(name);
  if (!isInRam(address, sizeBytes)) throw record.wrong(name, 'an address of the recorded RAM');
  return address;
}

/** A doubleword of RAM by its address in hexadecimal. @throws CaptureError */
export function doublewordAt(record: JsonRecord, text: string): number {
  const address = /^0x[0-9a-f]{1,12}$/i.test(text) ? Number(text) : NaN;
  if (!isInRam(address, 8) || address % 8 !== 0)
    throw new CaptureError(record.place, `"${text}" is no doubleword of the recorded RAM`);
  return address;
}

function structureIn(record: JsonRecord, name: string): Uint32Array {
  return Uint32Array.from(record.wordsList(name, 8).flat());
}

function isInRam(address: number, sizeBytes: number): boolean {
  return address >= RAM.base && address + sizeBytes <= RAM.base + RAM.sizeBytes;
}
