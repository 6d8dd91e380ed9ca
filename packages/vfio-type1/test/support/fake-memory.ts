// SPDX-License-Identifier: Apache-2.0
// Physical memory that is counted, and fails at a chosen allocation.

import { alignUp } from '@irqkit/bits';
import { LinuxError, physAddr } from '@irqkit/core';
import type { DmaBuffer } from '@irqkit/core';
import type { PhysicalMemory } from '@irqkit/vfio-type1';

export class FakeMemory implements PhysicalMemory {
  readonly buffers = new Set<DmaBuffer>();
  failIn = Infinity;
  #next = 0x4000_0000;

  alloc(sizeBytes: number, align = 0x1000): DmaBuffer {
    if (this.failIn-- === 0) throw new LinuxError('ENOMEM', 'memory: full');
    const base = alignUp(this.#next, align);
    // A page is left out between two buffers: they are never contiguous by chance.
    this.#next = base + sizeBytes + 0x1000;
    const bytes = new Uint8Array(sizeBytes);
    const buffer = { base: physAddr(base), sizeBytes, bytes, words: new Uint32Array(bytes.buffer) };
    this.buffers.add(buffer);
    return buffer;
  }

  free(buffer: DmaBuffer): void {
    if (!this.buffers.delete(buffer)) throw new Error('freed what is not there');
  }

  /** Takes memory to begin directly where the last allocation ended. */
  continueLast(): void {
    this.#next -= 0x1000;
  }

  get usedBytes(): number {
    return [...this.buffers].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }
}
