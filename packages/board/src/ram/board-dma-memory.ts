// SPDX-License-Identifier: Apache-2.0
// DMA memory for hosts, from the top of RAM down. A buffer's bytes are RAM itself, so it lies in one block of memory:
// small ones within a chunk, larger ones in whole chunks that get a block of their own.

import { alignDown, alignUp, hex, isPowerOfTwo } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { DmaBuffer, DmaMemory, PhysAddr, Region } from '@irqkit/core';
import { CHUNK_BYTES, PAGE_BYTES } from './chunk.js';
import { FreeRanges } from './free-ranges.js';
import type { Ram } from './ram.js';

export class BoardDmaMemory implements DmaMemory {
  readonly #ram: Ram;
  readonly #free = new FreeRanges();
  readonly #ends = new Map<DmaBuffer, number>();

  /** `reserved`: what software must leave alone (devicetree specification, section 3.5, /reserved-memory). */
  constructor(ram: Ram, reserved: readonly Region[]) {
    this.#ram = ram;
    for (const { base, end } of ram.regions) {
      const [from, to] = [alignUp(base, PAGE_BYTES), alignDown(end, PAGE_BYTES)];
      if (from < to) this.#free.give(from, to);
    }
    for (const { base, sizeBytes } of reserved)
      this.#free.exclude(alignDown(base, PAGE_BYTES), alignUp(base + sizeBytes, PAGE_BYTES));
  }

  alloc(sizeBytes: number, align: number = PAGE_BYTES): DmaBuffer {
    if (!(sizeBytes > 0) || !isPowerOfTwo(align))
      throw new LinuxError('EINVAL', `DMA memory: ${sizeBytes} bytes at a multiple of ${align}`);
    const size = alignUp(sizeBytes, PAGE_BYTES);
    const isLarge = size > CHUNK_BYTES;
    const taken = isLarge ? alignUp(size, CHUNK_BYTES) : size;
    const step = Math.max(align, isLarge ? CHUNK_BYTES : PAGE_BYTES);
    const base = this.#free.take(taken, step, isLarge ? Infinity : CHUNK_BYTES);
    if (base === undefined) throw new LinuxError('ENOMEM', `DMA memory: no ${hex(size)} bytes free at ${hex(align)}`);
    const region = this.#ram.find(base, taken)!;
    const memory = isLarge ? region.contiguous(base, taken)?.subarray(0, size) : region.view(base, size);
    if (memory === undefined) {
      this.#free.give(base, base + taken);
      throw new LinuxError('ENOMEM', `DMA memory: ${hex(size)} bytes exceed the board's RAM limit`);
    }
    const buffer = new BoardDmaBuffer(base as PhysAddr, memory.fill(0));
    this.#ends.set(buffer, base + taken);
    return buffer;
  }

  free(buffer: DmaBuffer): void {
    const end = this.#ends.get(buffer);
    if (end === undefined) throw new LinuxError('EINVAL', `DMA memory: ${hex(buffer.base)} is not allocated here`);
    this.#ends.delete(buffer);
    this.#free.give(buffer.base, end);
  }
}

class BoardDmaBuffer implements DmaBuffer {
  readonly words: Uint32Array;

  constructor(
    readonly base: PhysAddr,
    readonly bytes: Uint8Array,
  ) {
    this.words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }

  get sizeBytes(): number {
    return this.bytes.length;
  }
}
