// SPDX-License-Identifier: Apache-2.0
// DMA memory that counts what is taken and can be told to run out.

import { LinuxError, physAddr } from '@irqkit/core';
import type { DmaBuffer, DmaMemory } from '@irqkit/core';

export class FakeMemory implements DmaMemory {
  /** How many more allocations succeed. */
  left = Infinity;
  #next: number;
  readonly #live = new Map<number, DmaBuffer>();

  constructor(base = 0x4000_0000) {
    this.#next = base;
  }

  alloc(sizeBytes: number, align = 4096): DmaBuffer {
    if (this.left-- <= 0) throw new LinuxError('ENOMEM', 'nothing left');
    const base = Math.ceil(this.#next / align) * align;
    const bytes = new Uint8Array(Math.ceil(sizeBytes / 4096) * 4096);
    this.#next = base + bytes.length;
    const buffer = { base: physAddr(base), sizeBytes: bytes.length, bytes, words: new Uint32Array(bytes.buffer) };
    this.#live.set(base, buffer);
    return buffer;
  }

  free(buffer: DmaBuffer): void {
    if (!this.#live.delete(buffer.base)) throw new LinuxError('EINVAL', 'not allocated here');
  }

  get live(): readonly DmaBuffer[] {
    return [...this.#live.values()];
  }

  get liveBytes(): number {
    return this.live.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** Bytes as hardware finds them. Throws where nothing is allocated. */
  at(address: number, sizeBytes: number): Uint8Array {
    for (const buffer of this.#live.values())
      if (address >= buffer.base && address + sizeBytes <= buffer.base + buffer.sizeBytes)
        return buffer.bytes.subarray(address - buffer.base, address - buffer.base + sizeBytes);
    throw new Error(`0x${address.toString(16)} is not allocated`);
  }

  word64(address: number): bigint {
    const bytes = this.at(address, 8);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  }
}
