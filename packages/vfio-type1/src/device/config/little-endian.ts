// SPDX-License-Identifier: Apache-2.0
// Numbers in bytes of a configuration space.

/** Up to four bytes from `offset` on, unsigned. */
export function getBytes(bytes: Uint8Array, offset: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + bytes[offset + i];
  return value;
}

/** The low `size` bytes of `value`. */
export function putBytes(bytes: Uint8Array, offset: number, size: number, value: number): void {
  for (let i = 0; i < size; i++) bytes[offset + i] = value >>> (8 * i);
}
