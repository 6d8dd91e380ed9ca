// SPDX-License-Identifier: Apache-2.0
// RAM is committed in chunks, so that what is never written costs nothing.

import type { PhysAddr, RamWindow } from '@irqkit/core';

/** Bytes that are committed together: the largest DMA buffer that shares its memory with neighbours. */
export const CHUNK_BYTES = 0x10_0000;

/** Bytes that are saved together, and the granule of DMA buffers. */
export const PAGE_BYTES = 0x1000;

/** One chunk, for as long as its region is. */
export class Chunk implements RamWindow {
  readonly base: PhysAddr;
  /** Its memory, the same as bytes and as words. */
  bytes!: Uint8Array;
  words!: Uint32Array;

  constructor(base: PhysAddr, bytes: Uint8Array) {
    this.base = base;
    this.place(bytes);
  }

  /** `bytes` begin on a word of their buffer. */
  place(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }
}

/** The number of the chunk that holds `pa`. */
export function chunkOf(pa: number): number {
  return Math.floor(pa / CHUNK_BYTES);
}

/** Where `pa` lies in its chunk, as an integer that the engine knows to be one. */
export function offsetInChunk(pa: number): number {
  return (pa - chunkOf(pa) * CHUNK_BYTES) | 0;
}
