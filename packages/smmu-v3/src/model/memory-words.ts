// SPDX-License-Identifier: Apache-2.0

import type { Dma, PhysAddr } from '@irqkit/core';

/** A buffer for one structure in memory: read and written as words, without allocation. */
export class MemoryWords {
  readonly words: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #dma: Dma;

  constructor(dma: Dma, sizeBytes: number) {
    this.#dma = dma;
    this.words = new Uint32Array(sizeBytes / 4);
    this.#bytes = new Uint8Array(this.words.buffer);
  }

  /** False, an external abort, where there is no memory at `address`. */
  load(address: number): boolean {
    return this.#dma.load(address as PhysAddr, this.#bytes);
  }

  store(address: number): boolean {
    return this.#dma.store(address as PhysAddr, this.#bytes);
  }
}
