// SPDX-License-Identifier: Apache-2.0
// A bus that asks a test before software takes memory or writes a register, and tells it after.

import type { Bus, DmaBuffer, MmioRegion } from '@irqkit/core';

export interface BusHooks {
  /** Before software takes memory, which fails with what this throws. */
  alloc?(sizeBytes: number): void;
  /** After software gave memory back. */
  freed?(buffer: DmaBuffer): void;
  /** Before software writes at a physical address; false to lose the write. It fails with what this throws. */
  write?(address: number, value: number): boolean;
  /** After a write has had its effects. */
  written?(address: number): void;
  /** Before software reads. */
  read?(address: number): void;
}

export class HookedBus implements Bus {
  readonly cpus: Bus['cpus'];
  readonly memory: Bus['memory'];
  hooks: BusHooks = {};
  readonly #buffers = new Map<number, number>();
  readonly #behind = new Map<MmioRegion, MmioRegion>();
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
    this.cpus = bus.cpus;
    this.memory = {
      alloc: (sizeBytes, align) => {
        this.hooks.alloc?.(sizeBytes);
        const buffer = bus.memory.alloc(sizeBytes, align);
        this.#buffers.set(buffer.base, buffer.sizeBytes);
        return buffer;
      },
      free: (buffer) => {
        bus.memory.free(buffer);
        this.#buffers.delete(buffer.base);
        this.hooks.freed?.(buffer);
      },
    };
  }

  /** Base and size of all memory that is taken, ascending. */
  get taken(): readonly (readonly [base: number, sizeBytes: number])[] {
    return [...this.#buffers].sort(([a], [b]) => a - b);
  }

  map(region: Parameters<Bus['map']>[0]): MmioRegion {
    const own = this.#bus.map(region);
    const guarded = (address: number, value: number, write: () => void): void => {
      if (!(this.hooks.write?.(address, value) ?? true)) return;
      write();
      this.hooks.written?.(address);
    };
    const hooked: MmioRegion = {
      base: own.base,
      sizeBytes: own.sizeBytes,
      at: (offset) => own.at(offset),
      read: (offset, size) => {
        this.hooks.read?.(own.base + offset);
        return own.read(offset, size);
      },
      write: (offset, value, size) => guarded(own.base + offset, value, () => own.write(offset, value, size)),
      write64: (offset, lo, hi) => guarded(own.base + offset, lo, () => own.write64(offset, lo, hi)),
    };
    this.#behind.set(hooked, own);
    return hooked;
  }

  unmap(region: MmioRegion): void {
    this.#bus.unmap(this.#behind.get(region) ?? region);
    this.#behind.delete(region);
  }
}
