// SPDX-License-Identifier: Apache-2.0
// Arithmetic on addresses. They are doubles, exact to 2^53, so none of it may use 32-bit operators.

/** `address` rounded down to a multiple of `step`. */
export function alignDown<A extends number>(address: A, step: number): A {
  return (address - (address % step)) as A;
}

/** `address` rounded up to a multiple of `step`. */
export function alignUp<A extends number>(address: A, step: number): A {
  const over = address % step;
  return (over === 0 ? address : address + step - over) as A;
}

/** True where `address` is a multiple of `step`. */
export function isAligned(address: number, step: number): boolean {
  return address % step === 0;
}

/** The number of the 2^log2Size-byte page that holds `address`. */
export function pageOf(address: number, log2Size: number): number {
  return Math.floor(address / 2 ** log2Size);
}

/** How many 2^log2Size-byte pages the range of `sizeBytes` at `base` touches; 0 for an empty range. */
export function pagesTouched(base: number, sizeBytes: number, log2Size: number): number {
  return sizeBytes === 0 ? 0 : pageOf(base + sizeBytes - 1, log2Size) - pageOf(base, log2Size) + 1;
}

/** True where [baseA, +sizeA) and [baseB, +sizeB) share a byte. */
export function overlaps(baseA: number, sizeA: number, baseB: number, sizeB: number): boolean {
  return baseA < baseB + sizeB && baseB < baseA + sizeA;
}

/** True where `value` is a power of two; 0 is none. */
export function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}

/** The low 32 bits of an address, unsigned. */
export function lowWord(address: number): number {
  return address % 0x1_0000_0000;
}

/** The bits of an address from 32 up. */
export function highWord(address: number): number {
  return Math.floor(address / 0x1_0000_0000);
}
