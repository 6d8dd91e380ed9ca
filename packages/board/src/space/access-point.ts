// SPDX-License-Identifier: Apache-2.0
// Where one master's accesses enter the address space. It remembers what answered last; CPUs and devices bracket its calls
// with the depth of their access.

import type { AccessSize, Doorbell, MmioModel, Requester } from '@irqkit/core';
import type { AddressSpace, Target } from './address-space.js';

/** What a read answers where nothing does. */
export const NOBODY = -1;

const silent: MmioModel = { read: () => 0, write: () => undefined };
const NOWHERE: Target = Object.freeze({ owner: '', start: 0, end: 0, frame: silent, ram: undefined });

export class AccessPoint {
  readonly #space: AddressSpace;
  #last = NOWHERE;

  constructor(space: AddressSpace) {
    this.#space = space;
  }

  /** The value, unsigned; NOBODY where nothing answers any byte of it. */
  read(pa: number, size: AccessSize, by: Requester): number {
    const target = this.#aim(pa, size);
    if (target === undefined) return this.#readBytes(pa, size, by);
    return clip(target.frame.read(pa - target.start, size, by), size);
  }

  /** False where nothing answers any byte of it. */
  write(pa: number, value: number, size: AccessSize, by: Requester): boolean {
    const target = this.#aim(pa, size);
    if (target === undefined) return this.#writeBytes(pa, value, size, by);
    target.frame.write(pa - target.start, clip(value, size), size, by);
    return true;
  }

  /** The doorbell of the frame that answers all of a word; undefined where that is none. */
  doorbellAt(pa: number): Doorbell | undefined {
    const target = this.#aim(pa, 4);
    return target?.frame.doorbellAt?.(pa - target.start);
  }

  /** One 64-bit write where the frame has it, else the low and then the high word. */
  write64(pa: number, lo: number, hi: number, by: Requester): boolean {
    const target = this.#aim(pa, 8);
    if (target?.frame.write64 !== undefined) {
      target.frame.write64(pa - target.start, lo >>> 0, hi >>> 0, by);
      return true;
    }
    const low = this.write(pa, lo, 4, by);
    return this.write(pa + 4, hi, 4, by) || low;
  }

  /** Copies bytes in, words from frames. False, perhaps with a part loaded, where nothing answers. */
  load(pa: number, into: Uint8Array, at: number, count: number, by: Requester): boolean {
    while (count > 0) {
      const target = this.#aim(pa, 1);
      if (target === undefined) return false;
      const n = target.ram ? Math.min(count, target.end - pa) : pieceAt(target, pa, count);
      if (target.ram) target.ram.load(pa, into, at, n);
      else putLe(into, at, clip(target.frame.read(pa - target.start, n as AccessSize, by), n), n);
      pa += n;
      at += n;
      count -= n;
    }
    return true;
  }

  /** The reverse of `load`. */
  store(pa: number, from: Uint8Array, at: number, count: number, by: Requester): boolean {
    while (count > 0) {
      const target = this.#aim(pa, 1);
      if (target === undefined) return false;
      const n = target.ram ? Math.min(count, target.end - pa) : pieceAt(target, pa, count);
      if (!target.ram) target.frame.write(pa - target.start, getLe(from, at, n), n as AccessSize, by);
      else if (!target.ram.store(pa, from, at, n)) return false;
      pa += n;
      at += n;
      count -= n;
    }
    return true;
  }

  // Written so that an address which is no number misses.
  #aim(pa: number, size: number): Target | undefined {
    const last = this.#last;
    if (pa >= last.start && pa + size <= last.end) return last;
    const target = this.#space.find(pa);
    if (target === undefined || !(pa + size <= target.end)) return undefined;
    this.#last = target;
    return target;
  }

  // An access that leaves its target is made byte by byte, each going where it belongs.
  #readBytes(pa: number, size: AccessSize, by: Requester): number {
    let value = 0;
    let answered = false;
    for (let i = size - 1; i >= 0; i--) {
      const target = this.#aim(pa + i, 1);
      answered ||= target !== undefined;
      value = value * 0x100 + (target === undefined ? 0xff : clip(target.frame.read(pa + i - target.start, 1, by), 1));
    }
    return answered ? value : NOBODY;
  }

  #writeBytes(pa: number, value: number, size: AccessSize, by: Requester): boolean {
    let answered = false;
    for (let i = 0; i < size; i++) {
      const target = this.#aim(pa + i, 1);
      answered ||= target !== undefined;
      target?.frame.write(pa + i - target.start, (value >>> (8 * i)) & 0xff, 1, by);
    }
    return answered;
  }
}

function clip(value: number, size: number): number {
  return size === 4 ? value >>> 0 : size === 2 ? value & 0xffff : value & 0xff;
}

// The widest naturally aligned access at `pa` that stays within `count` bytes and the target.
function pieceAt(target: Target, pa: number, count: number): number {
  const most = Math.min(count, target.end - pa);
  if (most >= 4 && pa % 4 === 0) return 4;
  return most >= 2 && pa % 2 === 0 ? 2 : 1;
}

function getLe(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 0x100 + bytes[at + i];
  return value;
}

function putLe(bytes: Uint8Array, at: number, value: number, count: number): void {
  for (let i = 0; i < count; i++) bytes[at + i] = value >>> (8 * i);
}
