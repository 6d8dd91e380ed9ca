// SPDX-License-Identifier: Apache-2.0
// One contiguous range of RAM: chunks found by two array steps, committed when first written.

import type { AccessSize, MmioModel, PhysAddr, Region } from '@irqkit/core';
import { Chunk, CHUNK_BYTES, chunkOf, offsetInChunk, PAGE_BYTES } from './chunk.js';

/** How many bytes may still be committed, shared by the regions of a board. */
export interface CommitBudget {
  /** False, with nothing taken, where fewer than `bytes` are left. */
  take(bytes: number): boolean;
}

const LOG2_LEAF = 10;
const LEAF_CHUNKS = 2 ** LOG2_LEAF;
/** Up to here a loop is faster than a view for `set`. */
const LOOP_BYTES = 64;

export class RamRegion implements Region, MmioModel {
  readonly base: PhysAddr;
  readonly sizeBytes: number;
  readonly end: number;
  readonly #firstChunk: number;
  readonly #leaves: ((Chunk | undefined)[] | undefined)[];
  readonly #budget: CommitBudget;

  constructor(region: Region, budget: CommitBudget) {
    this.base = region.base;
    this.sizeBytes = region.sizeBytes;
    this.end = region.base + region.sizeBytes;
    this.#firstChunk = chunkOf(region.base);
    const nrChunks = chunkOf(this.end - 1) - this.#firstChunk + 1;
    this.#leaves = new Array<undefined>(Math.ceil(nrChunks / LEAF_CHUNKS)).fill(undefined);
    this.#budget = budget;
  }

  /** As a frame that CPUs and devices read in words; `offset` is from the base. */
  read(offset: number, size: AccessSize): number {
    const pa = this.base + offset;
    const at = offsetInChunk(pa);
    if (at + size > CHUNK_BYTES) return this.#readBytes(offset, size);
    const bytes = this.#find(pa)?.bytes;
    if (bytes === undefined) return 0;
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 0x100 + bytes[at + i];
    return value;
  }

  write(offset: number, value: number, size: AccessSize): void {
    for (let i = 0, rest = value; i < size; i++, rest = Math.floor(rest / 0x100)) {
      const pa = this.base + offset + i;
      const chunk = this.#commit(pa);
      if (chunk !== undefined) chunk.bytes[offsetInChunk(pa)] = rest;
    }
  }

  /** Copies `count` bytes at `pa`, all within this region, to `into` from its index `at`. */
  load(pa: number, into: Uint8Array, at: number, count: number): void {
    while (count > 0) {
      const offset = offsetInChunk(pa);
      const n = Math.min(count, CHUNK_BYTES - offset);
      const chunk = this.#find(pa);
      if (chunk === undefined) into.fill(0, at, at + n);
      else copy(chunk.bytes, offset, into, at, n);
      pa += n;
      at += n;
      count -= n;
    }
  }

  /** The chunk that begins at `pa`, undefined where nothing was written there or it is not all in this region. */
  chunkAt(pa: number): Chunk | undefined {
    return pa >= this.base && pa + CHUNK_BYTES <= this.end ? this.#find(pa) : undefined;
  }

  /** The reverse of `load`. False, perhaps with a part stored, where no more memory may be committed. */
  store(pa: number, from: Uint8Array, at: number, count: number): boolean {
    while (count > 0) {
      const offset = offsetInChunk(pa);
      const n = Math.min(count, CHUNK_BYTES - offset);
      const chunk = this.#commit(pa);
      if (chunk === undefined) return false;
      copy(from, at, chunk.bytes, offset, n);
      pa += n;
      at += n;
      count -= n;
    }
    return true;
  }

  /** The memory of a range within one chunk; undefined where no more may be committed. */
  view(pa: number, sizeBytes: number): Uint8Array | undefined {
    const chunk = this.#commit(pa);
    const offset = offsetInChunk(pa);
    return chunk?.bytes.subarray(offset, offset + sizeBytes);
  }

  /**
   * Puts one contiguous block of memory under whole chunks, contents kept, and returns it. Views that were given of
   * these chunks before no longer show RAM.
   */
  contiguous(pa: number, sizeBytes: number): Uint8Array | undefined {
    let missing = 0;
    for (let at = 0; at < sizeBytes; at += CHUNK_BYTES) if (this.#find(pa + at) === undefined) missing += CHUNK_BYTES;
    if (!this.#budget.take(missing)) return undefined;
    const block = new Uint8Array(sizeBytes);
    this.load(pa, block, 0, sizeBytes);
    for (let at = 0; at < sizeBytes; at += CHUNK_BYTES) this.#place(pa + at, block.subarray(at, at + CHUNK_BYTES));
    return block;
  }

  /** Calls back with each committed page that holds anything but zeroes. */
  forEachPage(visit: (pa: number, bytes: Uint8Array) => void): void {
    this.#forEachChunk((base, chunk) => {
      for (let at = 0; at < CHUNK_BYTES; at += PAGE_BYTES) {
        const page = chunk.bytes.subarray(at, at + PAGE_BYTES);
        if (!isZero(page)) visit(base + at, page);
      }
    });
  }

  /** Zeroes what is committed. Views stay good. */
  clear(): void {
    this.#forEachChunk((_, chunk) => chunk.bytes.fill(0));
  }

  #readBytes(offset: number, size: AccessSize): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 0x100 + this.read(offset + i, 1);
    return value;
  }

  #forEachChunk(visit: (base: number, chunk: Chunk) => void): void {
    this.#leaves.forEach((leaf, i) =>
      leaf?.forEach((chunk, j) => {
        if (chunk) visit((this.#firstChunk + i * LEAF_CHUNKS + j) * CHUNK_BYTES, chunk);
      }),
    );
  }

  // Chunk numbers are below 2^32, so 32-bit operators are exact on them.
  #find(pa: number): Chunk | undefined {
    const index = chunkOf(pa) - this.#firstChunk;
    const leaf = this.#leaves[index >>> LOG2_LEAF];
    return leaf === undefined ? undefined : leaf[index & (LEAF_CHUNKS - 1)];
  }

  #commit(pa: number): Chunk | undefined {
    const chunk = this.#find(pa);
    if (chunk !== undefined || !this.#budget.take(CHUNK_BYTES)) return chunk;
    return this.#place(pa, new Uint8Array(CHUNK_BYTES));
  }

  #place(pa: number, bytes: Uint8Array): Chunk {
    const former = this.#find(pa);
    if (former !== undefined) {
      former.place(bytes);
      return former;
    }
    const number = chunkOf(pa);
    const index = number - this.#firstChunk;
    const leaf = (this.#leaves[index >>> LOG2_LEAF] ??= new Array<undefined>(LEAF_CHUNKS).fill(undefined));
    return (leaf[index & (LEAF_CHUNKS - 1)] = new Chunk((number * CHUNK_BYTES) as PhysAddr, bytes));
  }
}

function isZero(page: Uint8Array): boolean {
  const words = new Uint32Array(page.buffer, page.byteOffset, page.length / 4);
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  return true;
}

function copy(from: Uint8Array, at: number, into: Uint8Array, to: number, count: number): void {
  if (count > LOOP_BYTES) into.set(from.subarray(at, at + count), to);
  else for (let i = 0; i < count; i++) into[to + i] = from[at + i]!;
}
