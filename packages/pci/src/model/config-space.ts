// SPDX-License-Identifier: Apache-2.0
// The configuration space of one function: bytes, with the bits that software may write and those it clears by writing 1.

import type { AccessSize } from '@irqkit/core';
import type { ConfigRegister } from '../regs.js';
import { restoreArray } from './saved-array.js';

/** Consecutive bytes of the space. */
export interface ConfigRange {
  readonly offset: number;
  readonly sizeBytes: number;
}

export class ConfigSpace {
  readonly sizeBytes: number;
  readonly #bytes: Uint8Array;
  readonly #writable: Uint8Array;
  readonly #writeOneToClear: Uint8Array;

  /** Starts with a copy of `image`; nothing is writable until `allow` says so. */
  constructor(image: Uint8Array) {
    this.sizeBytes = image.length;
    this.#bytes = Uint8Array.from(image);
    this.#writable = new Uint8Array(image.length);
    this.#writeOneToClear = new Uint8Array(image.length);
  }

  /** What software reads; bytes beyond the space read as ones. */
  read(offset: number, size: AccessSize): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + (this.#bytes[offset + i] ?? 0xff);
    return value;
  }

  /** Software's write: only bits it may write change. */
  write(offset: number, value: number, size: AccessSize): void {
    for (let i = 0; i < size && offset + i < this.sizeBytes; i++) {
      const at = offset + i;
      const byte = (value >>> (8 * i)) & 0xff;
      const replaced = (this.#bytes[at] & ~this.#writable[at]) | (byte & this.#writable[at]);
      this.#bytes[at] = replaced & ~(byte & this.#writeOneToClear[at]);
    }
  }

  get({ offset, size }: ConfigRegister, base = 0): number {
    return this.read(base + offset, size);
  }

  /** The hardware's own write: no mask applies. */
  set({ offset, size }: ConfigRegister, value: number, base = 0): void {
    for (let i = 0; i < size; i++) this.#bytes[base + offset + i] = (value >>> (8 * i)) & 0xff;
  }

  /** Lets software write the bits of `mask`. */
  allow({ offset, size }: ConfigRegister, mask: number, base = 0): void {
    for (let i = 0; i < size; i++) this.#writable[base + offset + i] |= (mask >>> (8 * i)) & 0xff;
  }

  /** Lets software clear the bits of `mask` by writing ones. */
  allowClear({ offset, size }: ConfigRegister, mask: number, base = 0): void {
    for (let i = 0; i < size; i++) this.#writeOneToClear[base + offset + i] |= (mask >>> (8 * i)) & 0xff;
  }

  save(): Uint8Array {
    return this.#bytes.slice();
  }

  /** @throws LinuxError EINVAL where `saved` is no space of this size */
  restore(saved: unknown): void {
    restoreArray(this.#bytes, saved, 'configuration space');
  }
}
