// SPDX-License-Identifier: Apache-2.0
// What is mapped, as a table of pages says it.

import type { PhysAddr } from '@irqkit/core';

export interface MappedPage {
  readonly pa: PhysAddr;
  readonly prot: number;
}

export class Oracle {
  readonly #pageBytes: number;
  /** By the number of the page of addresses. */
  readonly #pages = new Map<number, MappedPage>();

  constructor(pageBytes: number) {
    this.#pageBytes = pageBytes;
  }

  at(iova: number): MappedPage | undefined {
    return this.#pages.get(Math.floor(iova / this.#pageBytes));
  }

  isFree(iova: number, sizeBytes: number): boolean {
    return this.#offsets(sizeBytes).every((offset) => !this.at(iova + offset));
  }

  map(iova: number, pa: number, sizeBytes: number, prot: number): void {
    for (const offset of this.#offsets(sizeBytes))
      this.#pages.set((iova + offset) / this.#pageBytes, { pa: (pa + offset) as PhysAddr, prot });
  }

  /** Up to the first hole; returns the bytes. */
  unmap(iova: number, sizeBytes: number): number {
    let done = 0;
    while (done < sizeBytes && this.#pages.delete((iova + done) / this.#pageBytes)) done += this.#pageBytes;
    return done;
  }

  #offsets(sizeBytes: number): readonly number[] {
    return Array.from({ length: sizeBytes / this.#pageBytes }, (_, i) => i * this.#pageBytes);
  }
}
