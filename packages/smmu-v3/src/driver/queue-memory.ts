// SPDX-License-Identifier: Apache-2.0
// The memory of a queue, at a multiple of its size; a smaller queue where there is none for it. IHI 0070, section 3.5.1.

import type { Addr, Word } from '@irqkit/bits';
import { LinuxError, DMA_PAGE_BYTES } from '@irqkit/core';
import type { DmaBuffer } from '@irqkit/core';
import type { SmmuUnit } from './smmu-unit.js';

export interface QueueMemory {
  readonly buffer: DmaBuffer;
  readonly log2Size: number;
}

/** @throws LinuxError ENOMEM where there is none for a page either @linux arm_smmu_init_one_queue */
export function allocQueue(
  { memory }: Pick<SmmuUnit, 'memory'>,
  log2Size: number,
  entryBytes: number,
  what: string,
): QueueMemory {
  const sizeBytes = 2 ** log2Size * entryBytes;
  try {
    return { buffer: memory.alloc(sizeBytes, Math.max(sizeBytes, DMA_PAGE_BYTES), what), log2Size };
  } catch (error) {
    if (!LinuxError.is(error, 'ENOMEM') || sizeBytes <= DMA_PAGE_BYTES) throw error;
    return allocQueue({ memory }, log2Size - 1, entryBytes, what);
  }
}

/** CMDQ_BASE or EVENTQ_BASE, with the hint that the queue's accesses allocate in caches. */
export function queueBase(
  { buffer, log2Size }: QueueMemory,
  register: { readonly LOG2SIZE: Word; readonly ADDR: Addr },
  allocates: Word,
): Uint32Array {
  const value = new Uint32Array(2);
  register.LOG2SIZE.put(value, log2Size);
  register.ADDR.put(value, buffer.base);
  allocates.put(value, 1);
  return value;
}
