// SPDX-License-Identifier: Apache-2.0

import type { Dma } from '@irqkit/core';

const PAGE = 4096;

/** Sparse RAM between two addresses. */
export class Memory implements Dma {
  readonly #pages = new Map<number, Uint8Array>();
  readonly #base: number;
  readonly #end: number;
  loads = 0;

  constructor(base = 0x4000_0000, sizeBytes = 0x2000_0000) {
    this.#base = base;
    this.#end = base + sizeBytes;
  }

  load(pa: number, into: Uint8Array): boolean {
    this.loads++;
    if (pa < this.#base || pa + into.length > this.#end) return false;
    for (let i = 0; i < into.length;) {
      const part = this.#page(pa + i).subarray((pa + i) % PAGE, ((pa + i) % PAGE) + into.length - i);
      into.set(part, i);
      i += part.length;
    }
    return true;
  }

  store(pa: number, from: Uint8Array): boolean {
    if (pa < this.#base || pa + from.length > this.#end) return false;
    for (let i = 0; i < from.length;) {
      const part = this.#page(pa + i).subarray((pa + i) % PAGE, ((pa + i) % PAGE) + from.length - i);
      part.set(from.subarray(i, i + part.length));
      i += part.length;
    }
    return true;
  }

  byte(pa: number): number {
    return this.#page(pa)[pa % PAGE];
  }

  setByte(pa: number, value: number): void {
    this.#page(pa)[pa % PAGE] = value;
  }

  #page(pa: number): Uint8Array {
    const number = Math.floor(pa / PAGE);
    let page = this.#pages.get(number);
    if (!page) this.#pages.set(number, (page = new Uint8Array(PAGE)));
    return page;
  }
}
