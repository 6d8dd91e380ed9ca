// SPDX-License-Identifier: Apache-2.0
// Random damage to a blob, the same for the same seed.

import type { FdtNode } from '@irqkit/fdt';

/** Numbers in [0, below), from a 32-bit xorshift. */
export type Random = (below: number) => number;

export function randomFrom(seed: number): Random {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const HEADER_WORDS = 10;
const OFF_DT_STRUCT = 8;
const TOTALSIZE = 4;
/** Tokens, and the numbers that lengths and counts go wrong at. */
const WORDS = [0, 1, 2, 3, 4, 5, 8, 9, 0x10, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffc, 0xffff_ffff];

type Damage = (blob: Uint8Array, random: Random, cells: readonly number[]) => Uint8Array;

const damages: readonly Damage[] = [flipBits, truncate, splice, header, word, cell, cell, cell];

/** `cells`: offsets of the cells of properties, where damage leaves a tree that parses. */
export function corrupt(blob: Uint8Array, random: Random, cells: readonly number[]): Uint8Array {
  const damage = damages[random(damages.length)];
  let damaged: Uint8Array = blob.slice();
  for (let count = 1 + random(3); count > 0; count--) damaged = damage(damaged, random, cells);
  return damaged;
}

/** Offsets of every cell of every property. */
export function cellOffsets({ properties, children }: FdtNode): number[] {
  const own = properties.flatMap(({ value, offset = 0 }) =>
    Array.from({ length: value.length >>> 2 }, (_, index) => offset + index * 4),
  );
  return [...own, ...children.flatMap(cellOffsets)];
}

function cell(blob: Uint8Array, random: Random, cells: readonly number[]): Uint8Array {
  for (let count = 1 + random(20); count > 0; count--) {
    const at = cells[random(cells.length)];
    put(blob, at, random(3) === 0 ? get(blob, cells[random(cells.length)]) : valueFor(blob, at, random));
  }
  return blob;
}

function flipBits(blob: Uint8Array, random: Random): Uint8Array {
  if (blob.length > 0) for (let count = 1 + random(8); count > 0; count--) blob[random(blob.length)] ^= 1 << random(8);
  return blob;
}

function truncate(blob: Uint8Array, random: Random): Uint8Array {
  const cut = blob.subarray(0, random(blob.length + 1));
  if (random(2) === 0 && cut.length >= TOTALSIZE + 4) put(cut, TOTALSIZE, cut.length);
  return cut;
}

/** Moves a stretch over another place, or takes one out. */
function splice(blob: Uint8Array, random: Random): Uint8Array {
  const from = random(blob.length + 1) & ~3;
  const length = random(Math.min(4096, blob.length - from + 1));
  if (random(2) === 0) blob.copyWithin(random(blob.length + 1) & ~3, from, from + length);
  else blob.copyWithin(from, from + length);
  return blob;
}

function header(blob: Uint8Array, random: Random): Uint8Array {
  const at = random(HEADER_WORDS) * 4;
  if (at + 4 <= blob.length) put(blob, at, valueFor(blob, at, random));
  return blob;
}

/** Any word of the structure block: token, length, name offset or cell. */
function word(blob: Uint8Array, random: Random): Uint8Array {
  if (blob.length < HEADER_WORDS * 4) return blob;
  const named = get(blob, OFF_DT_STRUCT);
  const start = named - (named % 4);
  if (start + 4 > blob.length) return blob;
  const at = start + random((blob.length - start) >>> 2) * 4;
  put(blob, at, valueFor(blob, at, random));
  return blob;
}

function valueFor(blob: Uint8Array, at: number, random: Random): number {
  switch (random(4)) {
    case 0:
      return WORDS[random(WORDS.length)];
    case 1:
      return get(blob, random(blob.length >>> 2) * 4);
    case 2:
      return get(blob, at) + random(33) - 16;
    default:
      return random(2 ** 32);
  }
}

function get(blob: Uint8Array, at: number): number {
  return new DataView(blob.buffer, blob.byteOffset).getUint32(at);
}

function put(blob: Uint8Array, at: number, value: number): void {
  new DataView(blob.buffer, blob.byteOffset).setUint32(at, value >>> 0);
}
