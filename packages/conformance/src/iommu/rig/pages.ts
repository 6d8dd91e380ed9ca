// SPDX-License-Identifier: Apache-2.0
// Memory for devices to reach, each page of it with a mark of its own.

import { physAddr } from '@irqkit/core';
import type { DmaBuffer, PhysAddr } from '@irqkit/core';

/** Stands in every mark, above the page's number. */
const MAGIC = 0x5a00_0000;
const MARK_BYTES = 4;

export class Pages {
  readonly pageBytes: number;
  readonly nr: number;
  readonly #buffer: DmaBuffer;

  constructor(buffer: DmaBuffer, pageBytes: number) {
    this.#buffer = buffer;
    this.pageBytes = pageBytes;
    this.nr = buffer.sizeBytes / pageBytes;
    for (let i = 0; i < this.nr; i++) this.mark(i);
  }

  /** The physical address of page `i`. */
  pa(i: number): PhysAddr {
    return physAddr(this.#buffer.base + i * this.pageBytes);
  }

  /** Puts the mark of page `i` at both its ends. */
  mark(i: number): void {
    for (const at of this.#markPlaces(i)) this.#buffer.words[at / 4] = MAGIC + i;
  }

  /** What begins and ends page `i`: its own mark, or what a device has left there. */
  marksAt(i: number): readonly number[] {
    return this.#markPlaces(i).map((at) => this.#buffer.words[at / 4]);
  }

  /** The number of the page of which these bytes are a mark; undefined for no mark. */
  pageOf(bytes: Uint8Array): number | undefined {
    const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) - MAGIC;
    return number >= 0 && number < this.nr ? number : undefined;
  }

  #markPlaces(i: number): readonly number[] {
    return [i * this.pageBytes, (i + 1) * this.pageBytes - MARK_BYTES];
  }
}
