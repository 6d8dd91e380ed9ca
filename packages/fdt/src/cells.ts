// SPDX-License-Identifier: Apache-2.0

/** The cell, a big-endian word, `at` bytes into a property's value. */
export function cellAt(value: Uint8Array, at: number): number {
  return ((value[at] << 24) | (value[at + 1] << 16) | (value[at + 2] << 8) | value[at + 3]) >>> 0;
}
