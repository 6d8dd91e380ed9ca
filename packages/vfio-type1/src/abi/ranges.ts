// SPDX-License-Identifier: Apache-2.0
// Ranges that user space gives in 64 bits. What is right of them is below 2^53, so that a number holds it exactly.

import { LinuxError } from '@irqkit/core';

/** Where 64-bit addresses end. */
const END = 1n << 64n;

/**
 * Refuses on all 64 bits what is no run of pages. A number made of an address that passes has the same order among
 * mappings, which all end below 2^52, and the same alignment.
 * @throws LinuxError EINVAL where it is empty or misaligned, or a start wraps
 */
export function checkRun64(pageBytes: number, size: bigint, ...starts: readonly bigint[]): void {
  const mask = BigInt(pageBytes) - 1n;
  if (size === 0n || (size & mask) !== 0n) throw new LinuxError('EINVAL', `ioctl: a size of 0x${size.toString(16)}`);
  for (const start of starts)
    if ((start & mask) !== 0n || start + size > END)
      throw new LinuxError('EINVAL', `ioctl: 0x${start.toString(16)}+0x${size.toString(16)} is no run of pages`);
}
