// SPDX-License-Identifier: Apache-2.0
// DMA memory that counts what is taken, can be told to run out, and that a walker can read.

import { LinuxError, physAddr } from '@irqkit/core';
import type { DmaBuffer, DmaMemory } from '@irqkit/core';

const PAGE_BYTES = 0x1000;

export class FakeMemory implements DmaMemory {
  /** How many more allocations succeed. */
  left = Infinity;
  nrAllocations = 0;
  readonly #live = new Map<number, DmaBuffer>();
  readonly #pages = new Map<number, DmaBuffer>();
  #next: number;

  constructor(base = 0x4000_0000) {
    this.#next = base;
  }

  alloc(sizeBytes: number, align = PAGE_BYTES): DmaBuffer {
    this.nrAllocations++;
    if (this.left-- <= 0) throw new LinuxError('ENOMEM', 'nothing left');
    const base = Math.ceil(this.#next / align) * align;
    const bytes = new Uint8Array(Math.ceil(sizeBytes / PAGE_BYTES) * PAGE_BYTES);
    this.#next = base + bytes.length;
    const buffer = { base: physAddr(base), sizeBytes: bytes.length, bytes, words: new Uint32Array(bytes.buffer) };
    this.#live.set(base, buffer);
    for (let page = base; page < this.#next; page += PAGE_BYTES) this.#pages.set(page, buffer);
    return buffer;
  }

  free(buffer: DmaBuffer): void {
    if (!this.#live.delete(buffer.base)) throw new LinuxError('EINVAL', 'not allocated here');
    for (let at: number = buffer.base; at < buffer.base + buffer.sizeBytes; at += PAGE_BYTES) this.#pages.delete(at);
  }

  get liveBytes(): number {
    return [...this.#live.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** As a model reads descriptors. */
  readonly load64 = (pa: number, into: Uint32Array): boolean => {
    const buffer = this.#pages.get(pa - (pa % PAGE_BYTES));
    if (buffer === undefined) return false;
    const word = (pa - buffer.base) / 4;
    into[0] = buffer.words[word];
    into[1] = buffer.words[word + 1];
    return true;
  };

  /** Everything that is not zero, by address. */
  contents(): Map<number, bigint> {
    const all = new Map<number, bigint>();
    for (const { base, words } of this.#live.values())
      for (let i = 0; i < words.length; i += 2)
        if ((words[i] | words[i + 1]) !== 0) all.set(base + i * 4, (BigInt(words[i + 1]) << 32n) | BigInt(words[i]));
    return all;
  }

  word64(pa: number): bigint {
    const words = new Uint32Array(2);
    if (!this.load64(pa, words)) throw new Error(`0x${pa.toString(16)} is not allocated`);
    return (BigInt(words[1]) << 32n) | BigInt(words[0]);
  }
}
