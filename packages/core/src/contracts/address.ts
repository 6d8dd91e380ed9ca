// SPDX-License-Identifier: Apache-2.0
// Physical addresses and IOVAs are different numbers to the compiler: mixing them up is this project's bug class.

import { LinuxError } from './errno.js';

declare const space: unique symbol;

/** A CPU physical address, in bytes: an integer below 2^52. */
export type PhysAddr = number & { readonly [space]: 'pa' };

/** An I/O virtual address, what a device behind an IOMMU puts on the bus, in bytes: an integer below 2^52. */
export type Iova = number & { readonly [space]: 'iova' };

const LIMIT = 2 ** 52;

/** @throws LinuxError ERANGE where `value` is no integer in [0, 2^52). */
export function physAddr(value: number): PhysAddr {
  return inRange(value, 'physical address') as PhysAddr;
}

/** @throws LinuxError ERANGE where `value` is no integer in [0, 2^52). */
export function iova(value: number): Iova {
  return inRange(value, 'IOVA') as Iova;
}

function inRange(value: number, what: string): number {
  if (!Number.isInteger(value) || value < 0 || value >= LIMIT)
    throw new LinuxError('ERANGE', `${what} ${value} is not an integer in [0, 2^52)`);
  return value;
}
