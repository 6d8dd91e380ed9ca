// SPDX-License-Identifier: Apache-2.0
// The bus that a board offers to hosts.

import { hex } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { AccessSize, Bus, DmaMemory, MmioRegion, ModelLog, PhysAddr, Region } from '@irqkit/core';
import type { Processors } from '../processors.js';
import type { AddressSpace } from './address-space.js';
import { CpuAccess } from './cpu-access.js';

export class BoardBus implements Bus {
  readonly memory: DmaMemory;
  readonly cpus: Processors;
  readonly #space: AddressSpace;
  readonly #log: ModelLog;
  readonly #mapped = new Set<MmioRegion>();

  constructor(space: AddressSpace, cpus: Processors, memory: DmaMemory, log: ModelLog) {
    this.#space = space;
    this.cpus = cpus;
    this.memory = memory;
    this.#log = log;
  }

  map(region: Region): MmioRegion {
    if (!this.#space.covers(region))
      throw new LinuxError(
        'ENXIO',
        `bus: nothing answers all of ${hex(region.sizeBytes)} bytes at ${hex(region.base)}`,
      );
    const mapped = new BoardRegion(region, this.cpus, new CpuAccess(this.#space, this.cpus, this.#log));
    this.#mapped.add(mapped);
    return mapped;
  }

  /** @throws LinuxError EINVAL for a region that is not mapped here. */
  unmap(region: MmioRegion): void {
    if (!this.#mapped.delete(region)) throw new LinuxError('EINVAL', `bus: ${hex(region.base)} is not mapped here`);
    (region as BoardRegion).close();
  }
}

class BoardRegion implements MmioRegion {
  readonly base: PhysAddr;
  readonly sizeBytes: number;
  #limit: number;
  readonly #cpus: Processors;
  readonly #access: CpuAccess;

  constructor(region: Region, cpus: Processors, access: CpuAccess) {
    this.base = region.base;
    this.sizeBytes = region.sizeBytes;
    this.#limit = region.sizeBytes;
    this.#cpus = cpus;
    this.#access = access;
  }

  at(offset: number): PhysAddr {
    return (this.base + offset) as PhysAddr;
  }

  read(offset: number, size: AccessSize): number {
    if (!(offset >= 0 && offset + size <= this.#limit)) throw this.#outside(offset, size);
    return this.#access.read(this.base + offset, size, this.#cpus.requester);
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (!(offset >= 0 && offset + size <= this.#limit)) throw this.#outside(offset, size);
    this.#access.write(this.base + offset, value, size, this.#cpus.requester);
  }

  write64(offset: number, lo: number, hi: number): void {
    if (!(offset >= 0 && offset + 8 <= this.#limit)) throw this.#outside(offset, 8);
    this.#access.write64(this.base + offset, lo, hi, this.#cpus.requester);
  }

  close(): void {
    this.#limit = 0;
  }

  // A driver's own mistake: an unmapped kernel address.
  #outside(offset: number, size: number): LinuxError {
    const what = this.#limit === 0 ? 'unmapped' : `of ${hex(this.sizeBytes)} bytes`;
    return new LinuxError('EFAULT', `bus: ${size} bytes at offset ${hex(offset)} of ${hex(this.base)}, ${what}`);
  }
}
