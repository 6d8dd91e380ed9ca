// SPDX-License-Identifier: Apache-2.0
// Bit fields of one 32-bit register value, declared as the manual prints them: field(28, 27) is bits [28:27].
// A field is a closure with properties: V8 inlines it, which an object with methods does not get.

/** A bit range of a 32-bit register: call it to read, `set` to replace, both on plain numbers. */
export interface Field {
  /** The field's value in `value`, right-aligned and unsigned. */
  (value: number): number;
  /** `value` with this field replaced by the low bits of `content`; an unsigned 32-bit result. */
  set(value: number, content: number): number;
  /** The field's bits in place, unsigned: `field(3, 2).mask` is 0xc. */
  readonly mask: number;
  readonly hi: number;
  readonly lo: number;
}

/** The in-place mask of bits [hi:lo] of a 32-bit word, unsigned. */
export function maskOf(hi: number, lo: number): number {
  return (((hi - lo === 31 ? 0 : 1 << (hi - lo + 1)) - 1) << lo) >>> 0;
}

/**
 * Bits [hi:lo] of a 32-bit register; `field(3)` is the single bit 3.
 * @throws RangeError where the range is not within [31:0] with hi ≥ lo.
 */
export function field(hi: number, lo: number = hi): Field {
  if (!Number.isInteger(hi) || !Number.isInteger(lo) || lo < 0 || hi > 31 || hi < lo)
    throw new RangeError(`field [${hi}:${lo}] is not within a 32-bit register`);
  const mask = maskOf(hi, lo);
  const keep = ~mask;
  const read = (value: number): number => (value & mask) >>> lo;
  const set = (value: number, content: number): number => ((value & keep) | ((content << lo) & mask)) >>> 0;
  return Object.assign(read, { set, mask, hi, lo });
}
