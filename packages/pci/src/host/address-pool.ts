// SPDX-License-Identifier: Apache-2.0
// The addresses behind one window, and which kind of resource may go where. Linux 6.1 drivers/pci/setup-res.c, bus.c (behaviour).

import { alignUp } from '@irqkit/bits';
import type { ResourceKind } from './pci-resource.js';

const FOUR_GIB = 2 ** 32;
// @linux PCIBIOS_MIN_IO (arch/arm64/include/asm/pci.h)
const MIN_IO = 0x1000;

/** One window of a host bridge or a bridge, with what is free in it. */
export class AddressPool {
  readonly kind: ResourceKind;
  readonly #free: { first: number; last: number }[];

  /** Addresses [first, last] on the PCI bus. */
  constructor(kind: ResourceKind, first: number, last: number) {
    this.kind = kind;
    const lowest = kind.space === 'io' && first === 0 ? MIN_IO : first;
    this.#free = [{ first: lowest, last }];
  }

  /** The lowest aligned place for `sizeBytes` bytes within [min, max]; undefined where there is none. */
  take(sizeBytes: number, align: number, min: number, max: number): number | undefined {
    for (const [i, hole] of this.#free.entries()) {
      const start = alignUp(Math.max(hole.first, min), align);
      const end = start + sizeBytes - 1;
      if (end > Math.min(hole.last, max)) continue;
      const rest = [
        { first: hole.first, last: start - 1 },
        { first: end + 1, last: hole.last },
      ];
      this.#free.splice(i, 1, ...rest.filter(({ first, last }) => first <= last));
      return start;
    }
    return undefined;
  }
}

/**
 * A place in the pool that fits best: the same kind first; 64-bit prefetchable space then in any prefetchable pool; what is
 * 64-bit or prefetchable at last in any memory pool, but nothing unprefetchable in a prefetchable one. 64-bit space above
 * 4 GiB where possible. @linux pci_assign_resource
 */
export function takeAddress(
  pools: readonly AddressPool[],
  wanted: ResourceKind,
  sizeBytes: number,
  align: number,
): number | undefined {
  const same = pools.filter(({ kind }) => kind.space === wanted.space);
  const { is64, prefetchable } = wanted;
  const exact = same.filter(({ kind }) => kind.is64 === is64 && kind.prefetchable === prefetchable);
  const likely = is64 && prefetchable ? same.filter(({ kind }) => kind.prefetchable) : [];
  const possible = is64 || prefetchable ? same.filter(({ kind }) => prefetchable || !kind.prefetchable) : [];
  const ranges = is64
    ? [
        [FOUR_GIB, Infinity],
        [0, Infinity],
      ]
    : [[0, FOUR_GIB - 1]];
  for (const candidates of [exact, likely, possible])
    for (const [min, max] of ranges)
      for (const pool of candidates) {
        const address = pool.take(sizeBytes, align, min, max);
        if (address !== undefined) return address;
      }
  return undefined;
}
