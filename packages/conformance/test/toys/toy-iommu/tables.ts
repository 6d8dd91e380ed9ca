// SPDX-License-Identifier: Apache-2.0
// The toy's tables as its driver keeps them.

import { IOMMU_PROT, LinuxError } from '@irqkit/core';
import type { DmaBuffer, DmaMemory, PhysAddr } from '@irqkit/core';
import { BLOCK_BYTES, ENTRY, NR_ENTRIES, PAGE_BYTES } from './regs.js';

export class ToyTables {
  readonly top: DmaBuffer;
  readonly #memory: DmaMemory;
  /** Tables of pages by the index of the block that they cut up. */
  readonly #pages = new Map<number, DmaBuffer>();

  /** @throws LinuxError ENOMEM */
  constructor(memory: DmaMemory) {
    this.#memory = memory;
    this.top = memory.alloc(NR_ENTRIES * ENTRY.bytes);
  }

  /** The page or block that `iova` is in; undefined where nothing is mapped. */
  find(iova: number): { readonly entry: Uint32Array; readonly sizeBytes: number } | undefined {
    const block = this.#blockEntry(iova);
    const isCut = ENTRY.Table(block) === 1;
    const entry = isCut ? this.#pageEntry(iova) : block;
    return entry && entry[0] !== 0 ? { entry, sizeBytes: isCut ? PAGE_BYTES : BLOCK_BYTES } : undefined;
  }

  /** The entry to fill for a page or block of `sizeBytes`, with a table made where it takes one. @throws LinuxError ENOMEM */
  entryFor(iova: number, sizeBytes: number): Uint32Array {
    const block = this.#blockEntry(iova);
    if (sizeBytes === BLOCK_BYTES) return block;
    if (ENTRY.Table(block) === 0) this.#cut(iova);
    return this.#pageEntry(iova)!;
  }

  /** True where a block at `iova` has been cut into pages, mapped or not. */
  isCut(iova: number): boolean {
    return ENTRY.Table(this.#blockEntry(iova)) === 1;
  }

  /** Takes back the table that cuts the block at `iova`. */
  mend(iova: number): void {
    const index = Math.floor(iova / BLOCK_BYTES);
    const table = this.#pages.get(index);
    if (!table) return;
    this.#blockEntry(iova).fill(0);
    this.#pages.delete(index);
    this.#memory.free(table);
  }

  free(): void {
    for (const table of this.#pages.values()) this.#memory.free(table);
    this.#memory.free(this.top);
  }

  /** Replaces a block by pages that map the same. */
  #cut(iova: number): void {
    const block = this.#blockEntry(iova);
    const table = this.#memory.alloc(NR_ENTRIES * ENTRY.bytes);
    const was = block.slice();
    for (let i = 0; i < NR_ENTRIES && was[0] !== 0; i++) {
      const entry = table.words.subarray(2 * i, 2 * i + 2);
      entry.set(was);
      ENTRY.Address.put(entry, ENTRY.Address(was) + i * PAGE_BYTES);
    }
    this.#pages.set(Math.floor(iova / BLOCK_BYTES), table);
    block.fill(0);
    ENTRY.Table.put(block, 1);
    ENTRY.Address.put(block, table.base);
  }

  #blockEntry(iova: number): Uint32Array {
    const at = 2 * Math.floor(iova / BLOCK_BYTES);
    return this.top.words.subarray(at, at + 2);
  }

  #pageEntry(iova: number): Uint32Array | undefined {
    const at = 2 * Math.floor((iova % BLOCK_BYTES) / PAGE_BYTES);
    return this.#pages.get(Math.floor(iova / BLOCK_BYTES))?.words.subarray(at, at + 2);
  }
}

/** @throws LinuxError EINVAL for a protection that permits nothing. */
export function fill(entry: Uint32Array, pa: PhysAddr, prot: number): void {
  if ((prot & (IOMMU_PROT.READ | IOMMU_PROT.WRITE)) === 0)
    throw new LinuxError('EINVAL', `toy IOMMU: nothing is permitted by ${prot}`);
  entry.fill(0);
  ENTRY.R.put(entry, prot & IOMMU_PROT.READ ? 1 : 0);
  ENTRY.W.put(entry, prot & IOMMU_PROT.WRITE ? 1 : 0);
  ENTRY.Address.put(entry, pa);
}
