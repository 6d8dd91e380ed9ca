// SPDX-License-Identifier: Apache-2.0

/** `value` as the kernel prints addresses and ids: `0x` and lower-case digits, zero-padded to `digits`. */
export function hex(value: number, digits = 1): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}
