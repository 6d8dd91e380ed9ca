// SPDX-License-Identifier: Apache-2.0
// Accesses at physical addresses as a capture records them: by whatever processor or device, with no host between.

import type { AccessSize, PhysAddr, Requester } from '@irqkit/core';
import type { Processors } from '../processors.js';
import { AccessPoint } from './access-point.js';
import type { CpuAccess } from './cpu-access.js';
import type { AddressSpace } from './address-space.js';

/** A board's raw side, for replay, tests and inspection. @throws LinuxError EINVAL for a processor there is not. */
export interface RawAccess {
  /** What processor `cpu` reads; all ones where nothing answers. */
  read(pa: PhysAddr, size: AccessSize, cpu: number): number;
  /** Dropped where nothing answers. */
  write(pa: PhysAddr, value: number, size: AccessSize, cpu: number): void;
  /** One 64-bit store, as `MmioRegion.write64`. */
  write64(pa: PhysAddr, lo: number, hi: number, cpu: number): void;
  /** A device's write behind its IOMMU: `pa` is not translated. False where nothing answers. */
  deviceWrite(pa: PhysAddr, value: number, size: AccessSize, by: Requester): boolean;
}

export class BoardRawAccess implements RawAccess {
  readonly #cpus: Processors;
  readonly #access: CpuAccess;
  readonly #devices: AccessPoint;

  constructor(space: AddressSpace, cpus: Processors, access: CpuAccess) {
    this.#cpus = cpus;
    this.#access = access;
    this.#devices = new AccessPoint(space);
  }

  read(pa: PhysAddr, size: AccessSize, cpu: number): number {
    this.#cpus.check(cpu);
    return this.#access.read(pa, size, this.#cpus.requesters[cpu]);
  }

  write(pa: PhysAddr, value: number, size: AccessSize, cpu: number): void {
    this.#cpus.check(cpu);
    this.#access.write(pa, value, size, this.#cpus.requesters[cpu]);
  }

  write64(pa: PhysAddr, lo: number, hi: number, cpu: number): void {
    this.#cpus.check(cpu);
    this.#access.write64(pa, lo, hi, this.#cpus.requesters[cpu]);
  }

  deviceWrite(pa: PhysAddr, value: number, size: AccessSize, by: Requester): boolean {
    if (!this.#cpus.enter()) return false;
    try {
      return this.#devices.write(pa, value, size, by);
    } finally {
      this.#cpus.leave();
    }
  }
}
