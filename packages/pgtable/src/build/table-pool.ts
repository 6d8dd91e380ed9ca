// SPDX-License-Identifier: Apache-2.0
// Memory of tables, in chunks of DMA memory. Inside, a table is known by a number that leads to its words in one step: that
// of its chunk's first word, counted through all chunks, and the words before it in the chunk.

import { hex, isPowerOfTwo } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { DmaBuffer, DmaMemory } from '@irqkit/core';

export interface TablePoolOptions {
  /** Where errors say it was: a node's path. */
  readonly path: string;
  readonly memory: DmaMemory;
  /** The granule of every page table that uses the pool. */
  readonly tableBytes: number;
  /** Bits of the addresses that tables may have: no more than the output size of the page tables. */
  readonly addressBits: number;
  /** What is taken at once: a power of two, a table at least. Sixteen tables, 256 KiB at least, where it is left out. */
  readonly chunkBytes?: number;
  /**
   * Empty chunks are kept up to this, one in any case, so that a driver which maps and unmaps the same does not take and give
   * memory all the time. 2 MiB where it is left out. When a page table goes, all but one are given back.
   */
  readonly spareBytes?: number;
}

interface Chunk {
  readonly buffer: DmaBuffer;
  /** The number of its first table. */
  readonly first: number;
  /** Tables to give: the first `nrFree` of these. */
  readonly free: Int32Array;
  nrFree: number;
}

const NO_WORDS = new Int32Array(0);
const WORD_BYTES = 4;
const SPARE_BYTES = 0x20_0000;

/**
 * Tables for the page tables of one driver. All but the first of each, which has a size of its own, come from here. Chunks
 * are taken as they are needed; a few are kept while they are empty, and none when the last page table is gone.
 */
export class TablePool {
  readonly path: string;
  readonly memory: DmaMemory;
  readonly tableBytes: number;
  readonly addressBits: number;
  /** @internal The words of a chunk, by a table's number >>> log2ChunkWords. There is no table 0. */
  readonly chunkWords: Int32Array[] = [NO_WORDS];
  /** @internal */
  readonly log2ChunkWords: number;
  readonly #chunkBytes: number;
  readonly #tableWords: number;
  readonly #tablesOfChunk: number;
  readonly #mostEmpty: number;
  /** As `chunkWords`. First tables stand here, too. */
  readonly #chunks: (Chunk | undefined)[] = [undefined];
  readonly #freeSlots: number[] = [];
  /** Chunks that have a table to give; the last one gives. */
  readonly #open: Chunk[] = [];
  /** Of them those that have every table to give. */
  #nrEmpty = 0;
  #nrFree = 0;
  #nrUsed = 0;
  #nrPageTables = 0;

  /** @throws LinuxError EINVAL for sizes that are no powers of two, or a chunk smaller than a table */
  constructor({ path, memory, tableBytes, addressBits, chunkBytes, spareBytes }: TablePoolOptions) {
    this.path = path;
    this.memory = memory;
    this.tableBytes = tableBytes;
    this.addressBits = addressBits;
    this.#chunkBytes = chunkBytes ?? Math.max(0x4_0000, 16 * tableBytes);
    if (!isPowerOfTwo(this.#chunkBytes) || !isPowerOfTwo(tableBytes) || this.#chunkBytes < tableBytes)
      throw new LinuxError('EINVAL', `${path}: chunks of ${this.#chunkBytes} bytes for tables of ${tableBytes}`);
    this.log2ChunkWords = Math.log2(this.#chunkBytes / WORD_BYTES);
    this.#tableWords = tableBytes / WORD_BYTES;
    this.#tablesOfChunk = this.#chunkBytes / tableBytes;
    this.#mostEmpty = Math.max(Math.floor((spareBytes ?? SPARE_BYTES) / this.#chunkBytes), 1);
  }

  /** Tables in use, first ones not counted. */
  get nrTables(): number {
    return this.#nrUsed;
  }

  /** DMA memory that it holds, first tables not counted. */
  get sizeBytes(): number {
    return (this.#nrFree + this.#nrUsed) * this.tableBytes;
  }

  /** @internal A first table, of zeros, for one more page table. @throws LinuxError ENOMEM */
  join(sizeBytes: number): number {
    const table = this.add(this.allocate(sizeBytes), NO_WORDS).first;
    this.#nrPageTables++;
    return table;
  }

  /** @internal Takes back what `join` gave. */
  leave(table: number): void {
    this.remove(this.chunkOf(table));
    this.#nrPageTables--;
    const empty = this.#open.filter(({ nrFree }) => nrFree === this.#tablesOfChunk);
    for (const chunk of empty.slice(this.#nrPageTables > 0 ? 1 : 0)) this.drop(chunk);
  }

  /** @internal Makes sure that `count` calls of `take` succeed. @throws LinuxError ENOMEM, with nothing taken */
  reserve(count: number): void {
    if (this.#nrFree < count) this.grow(count);
  }

  /** @internal The number of a table of zeros, which was reserved. */
  take(): number {
    const open = this.#open;
    const chunk = open[open.length - 1];
    if (chunk.nrFree === this.#tablesOfChunk) this.#nrEmpty--;
    const table = chunk.free[--chunk.nrFree];
    if (chunk.nrFree === 0) open.pop();
    this.#nrUsed++;
    this.#nrFree--;
    return table;
  }

  /** @internal Takes a table back. It is of zeros again. */
  give(table: number): void {
    const chunk = this.chunkOf(table);
    if (chunk.nrFree === 0) this.#open.push(chunk);
    chunk.free[chunk.nrFree++] = table;
    this.#nrUsed--;
    this.#nrFree++;
    if (chunk.nrFree < this.#tablesOfChunk) return;
    this.#nrEmpty++;
    if (this.#nrEmpty > this.#mostEmpty) this.drop(chunk);
  }

  /** @internal */
  addressOf(table: number): number {
    const chunk = this.chunkOf(table);
    return chunk.buffer.base + (table - chunk.first) * WORD_BYTES;
  }

  /** @internal */
  wordsOf(table: number): Int32Array {
    const { first } = this.chunkOf(table);
    return this.chunkWords[table >>> this.log2ChunkWords].subarray(table - first, table - first + this.#tableWords);
  }

  private chunkOf(table: number): Chunk {
    return this.#chunks[table >>> this.log2ChunkWords]!;
  }

  private allocate(sizeBytes: number): DmaBuffer {
    const buffer = this.memory.alloc(sizeBytes, Math.max(sizeBytes, 0x1000));
    if (buffer.base + buffer.sizeBytes <= 2 ** this.addressBits) return buffer;
    this.memory.free(buffer);
    const what = `a table at ${hex(buffer.base)} is beyond ${this.addressBits} address bits`;
    throw new LinuxError('ENOMEM', `${this.path}: ${what}`);
  }

  private grow(nrFree: number): void {
    const added: Chunk[] = [];
    try {
      while (this.#nrFree < nrFree) {
        const chunk = this.add(this.allocate(this.#chunkBytes), new Int32Array(this.#tablesOfChunk));
        // The first table is given first.
        for (let i = 0; i < this.#tablesOfChunk; i++)
          chunk.free[i] = chunk.first + (this.#tablesOfChunk - 1 - i) * this.#tableWords;
        chunk.nrFree = this.#tablesOfChunk;
        // What was taken before gives before.
        this.#open.unshift(chunk);
        this.#nrEmpty++;
        this.#nrFree += this.#tablesOfChunk;
        added.push(chunk);
      }
    } catch (error) {
      added.forEach((chunk) => this.drop(chunk));
      throw error;
    }
  }

  private add(buffer: DmaBuffer, free: Int32Array): Chunk {
    const slot = this.#freeSlots.pop() ?? this.#chunks.length;
    const chunk: Chunk = { buffer, first: slot * 2 ** this.log2ChunkWords, free, nrFree: 0 };
    this.#chunks[slot] = chunk;
    const { bytes } = buffer;
    this.chunkWords[slot] = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / WORD_BYTES);
    return chunk;
  }

  private remove(chunk: Chunk): void {
    const slot = chunk.first / 2 ** this.log2ChunkWords;
    this.#chunks[slot] = undefined;
    this.chunkWords[slot] = NO_WORDS;
    this.#freeSlots.push(slot);
    this.memory.free(chunk.buffer);
  }

  /** Gives an empty chunk back. */
  private drop(chunk: Chunk): void {
    this.#open.splice(this.#open.indexOf(chunk), 1);
    this.#nrEmpty--;
    this.#nrFree -= this.#tablesOfChunk;
    this.remove(chunk);
  }
}
