// SPDX-License-Identifier: Apache-2.0
// Interrupt translation tables: most need a few hundred bytes, so that several share a page. IHI 0069, section 5.2.3: an ITT
// starts at a multiple of 256 bytes and is zero when it is mapped.

import { DMA_PAGE_BYTES } from '@irqkit/core';
import type { DmaBuffer, OwnedMemory } from '@irqkit/core';

/** @linux ITS_ITT_ALIGN */
const ITT_ALIGN = 256;

export interface Itt {
  readonly address: number;
  readonly page: IttPage;
}

/** A page cut into slots of one size, or one large ITT. */
interface IttPage {
  readonly buffer: DmaBuffer;
  readonly slotBytes: number;
  /** A bit for each free slot. */
  free: number;
  readonly allFree: number;
}

export class IttPool {
  readonly #memory: OwnedMemory;
  /** Pages with free slots, by the slots' size. */
  readonly #open = new Map<number, Set<IttPage>>();

  constructor(memory: OwnedMemory) {
    this.#memory = memory;
  }

  /** Zeroed. @throws LinuxError ENOMEM */
  alloc(sizeBytes: number): Itt {
    const slotBytes = slotFor(sizeBytes);
    const open = this.#openPages(slotBytes);
    const [page = this.#newPage(sizeBytes, slotBytes)] = open;
    const slot = 31 - Math.clz32(page.free & -page.free);
    page.free &= ~(1 << slot);
    if (page.free === 0) open.delete(page);
    else open.add(page);
    page.buffer.bytes.fill(0, slot * slotBytes, (slot + 1) * slotBytes);
    return { address: page.buffer.base + slot * slotBytes, page };
  }

  free({ address, page }: Itt): void {
    const open = this.#openPages(page.slotBytes);
    page.free |= 1 << ((address - page.buffer.base) / page.slotBytes);
    if (page.free !== page.allFree) {
      open.add(page);
      return;
    }
    open.delete(page);
    this.#memory.free(page.buffer);
  }

  #newPage(sizeBytes: number, slotBytes: number): IttPage {
    const buffer = this.#memory.alloc(Math.max(sizeBytes, DMA_PAGE_BYTES), DMA_PAGE_BYTES, 'an ITT');
    const allFree = 2 ** Math.max(DMA_PAGE_BYTES / slotBytes, 1) - 1;
    return { buffer, slotBytes, free: allFree, allFree };
  }

  #openPages(slotBytes: number): Set<IttPage> {
    const open = this.#open.get(slotBytes) ?? new Set<IttPage>();
    this.#open.set(slotBytes, open);
    return open;
  }
}

function slotFor(sizeBytes: number): number {
  let slot = ITT_ALIGN;
  while (slot < sizeBytes) slot *= 2;
  return slot;
}
