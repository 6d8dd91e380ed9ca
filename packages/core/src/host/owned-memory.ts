// SPDX-License-Identifier: Apache-2.0
// A driver's memory that hardware holds addresses of: it goes back all at once, when the hardware has let go of it.

import { DMA_PAGE_BYTES } from '../contracts/bus.js';
import type { DmaBuffer, DmaMemory } from '../contracts/bus.js';
import { LinuxError } from '../contracts/errno.js';

export class OwnedMemory implements DmaMemory {
  readonly #path: string;
  readonly #memory: DmaMemory;
  readonly #buffers = new Set<DmaBuffer>();

  /** `path`: the node whose driver asks. */
  constructor(path: string, memory: DmaMemory) {
    this.#path = path;
    this.#memory = memory;
  }

  get sizeBytes(): number {
    return [...this.#buffers].reduce((sum, buffer) => sum + buffer.sizeBytes, 0);
  }

  /** Zeroed memory. `what` it is for goes into the message. @throws LinuxError ENOMEM */
  alloc(sizeBytes: number, align: number = DMA_PAGE_BYTES, what = 'tables'): DmaBuffer {
    try {
      const buffer = this.#memory.alloc(sizeBytes, align);
      this.#buffers.add(buffer);
      return buffer;
    } catch (cause) {
      if (!LinuxError.is(cause)) throw cause;
      throw new LinuxError(cause.code, `${this.#path}: no memory for ${what}`, { cause });
    }
  }

  free(buffer: DmaBuffer): void {
    this.#buffers.delete(buffer);
    this.#memory.free(buffer);
  }

  freeAll(): void {
    for (const buffer of this.#buffers) this.free(buffer);
  }
}
