// SPDX-License-Identifier: Apache-2.0
// The memory behind a process: pieces that are contiguous in physical memory, freed with their last user.

import type { DmaBuffer, PhysAddr } from '@irqkit/core';
import type { DeviceMemory } from './open-file.js';

/** The part of `DmaMemory` that processes take from. */
export interface PhysicalMemory {
  /** Zeroed memory at a multiple of `align`. @throws LinuxError ENOMEM */
  alloc(sizeBytes: number, align?: number): DmaBuffer;
  free(buffer: DmaBuffer): void;
}

/** What a mapping or a pin keeps alive. */
export interface Piece {
  readonly base: PhysAddr;
  readonly sizeBytes: number;
  /** Undefined for device memory, which is not counted as locked either. */
  readonly bytes: Uint8Array | undefined;
  get(): void;
  put(): void;
}

/** @throws LinuxError ENOMEM */
export function allocPiece(memory: PhysicalMemory, sizeBytes: number, align: number): Piece {
  const buffer = memory.alloc(sizeBytes, align);
  let nrUsers = 0;
  return {
    base: buffer.base,
    sizeBytes,
    bytes: buffer.bytes,
    get: () => void nrUsers++,
    put() {
      nrUsers--;
      if (nrUsers === 0) memory.free(buffer);
    },
  };
}

export function devicePiece({ base, sizeBytes }: DeviceMemory): Piece {
  return { base, sizeBytes, bytes: undefined, get: () => undefined, put: () => undefined };
}
