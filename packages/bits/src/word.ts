// SPDX-License-Identifier: Apache-2.0
// Fields of in-memory structures (table entries, commands, descriptors) held as little-endian 32-bit words.
// Bit numbers count through the whole structure, as the manuals do: word(143, 128) lies in the fifth word.

import { maskOf } from './field.js';

/** A field of at most 32 bits, within one 32-bit word of a structure. */
export interface Word {
  /** The field's value, right-aligned and unsigned. */
  (words: Uint32Array): number;
  /** Replaces the field by the low bits of `content`. */
  put(words: Uint32Array, content: number): void;
  readonly hi: number;
  readonly lo: number;
}

/** An address field in place within one doubleword: the bits it lacks read as zero. */
export interface Addr {
  /** The address, a number below 2^52. */
  (words: Uint32Array): number;
  /** Stores the address bits the field has; the doubleword's other bits stay. */
  put(words: Uint32Array, address: number): void;
  readonly hi: number;
  readonly lo: number;
}

/**
 * Bits [hi:lo] of a structure; they must not cross a 32-bit word.
 * @throws RangeError where they do.
 */
export function word(hi: number, lo: number = hi): Word {
  if (!Number.isInteger(hi) || !Number.isInteger(lo) || lo < 0 || hi < lo || hi >>> 5 !== lo >>> 5)
    throw new RangeError(`word [${hi}:${lo}] crosses a 32-bit word`);
  const index = lo >>> 5;
  const shift = lo & 31;
  const mask = maskOf(hi & 31, shift);
  const keep = ~mask;
  const read = (words: Uint32Array): number => (words[index] & mask) >>> shift;
  const put = (words: Uint32Array, content: number): void => {
    words[index] = (words[index] & keep) | ((content << shift) & mask);
  };
  return Object.assign(read, { put, hi, lo });
}

/**
 * Address bits in place: `addr(51, 6)` is address bits [51:6] at bits [51:6] of doubleword 0, and
 * `addr(243, 196)` is address bits [51:4] of doubleword 3.
 * @throws RangeError where the range crosses a doubleword or passes bit 51.
 */
export function addr(hi: number, lo: number): Addr {
  const top = hi & 63;
  const bottom = lo & 63;
  if (!Number.isInteger(hi) || !Number.isInteger(lo) || lo < 0 || hi >>> 6 !== lo >>> 6 || top > 51 || bottom > top)
    throw new RangeError(`addr [${hi}:${lo}] is not within address bits [51:0] of one doubleword`);
  const low = (lo >>> 6) * 2;
  const lowMask = bottom > 31 ? 0 : maskOf(Math.min(top, 31), bottom);
  const highMask = top < 32 ? 0 : maskOf(top - 32, Math.max(bottom - 32, 0));
  const read = (words: Uint32Array): number =>
    ((words[low + 1] & highMask) >>> 0) * 0x1_0000_0000 + ((words[low] & lowMask) >>> 0);
  const put = (words: Uint32Array, address: number): void => {
    words[low] = (words[low] & ~lowMask) | (address & lowMask);
    words[low + 1] = (words[low + 1] & ~highMask) | (Math.floor(address / 0x1_0000_0000) & highMask);
  };
  return Object.assign(read, { put, hi, lo });
}
