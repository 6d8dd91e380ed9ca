// SPDX-License-Identifier: Apache-2.0
// Accesses by processors, each bracketed so that interrupts wait for its end.

import type { AccessSize, ModelLog, Requester } from '@irqkit/core';
import type { Processors } from '../processors.js';
import { AccessPoint, NOBODY } from './access-point.js';
import type { AddressSpace } from './address-space.js';

export class CpuAccess {
  readonly #point: AccessPoint;
  readonly #cpus: Processors;
  readonly #log: ModelLog;

  constructor(space: AddressSpace, cpus: Processors, log: ModelLog) {
    this.#point = new AccessPoint(space);
    this.#cpus = cpus;
    this.#log = log;
  }

  read(pa: number, size: AccessSize, by: Requester): number {
    if (!this.#cpus.enter()) return this.#allOnes(pa, size, by);
    try {
      const value = this.#point.read(pa, size, by);
      return value === NOBODY ? this.#allOnes(pa, size, by) : value;
    } finally {
      this.#cpus.leave();
    }
  }

  write(pa: number, value: number, size: AccessSize, by: Requester): void {
    if (!this.#cpus.enter()) return this.#drop(pa, size, by);
    try {
      if (!this.#point.write(pa, value, size, by)) this.#drop(pa, size, by);
    } finally {
      this.#cpus.leave();
    }
  }

  write64(pa: number, lo: number, hi: number, by: Requester): void {
    if (!this.#cpus.enter()) return this.#drop(pa, 8, by);
    try {
      if (!this.#point.write64(pa, lo, hi, by)) this.#drop(pa, 8, by);
    } finally {
      this.#cpus.leave();
    }
  }

  // UNIMP: external aborts
  #allOnes(pa: number, size: AccessSize, by: Requester): number {
    this.#log.guest('nothing answers cpu %d reading %d bytes at 0x%x', by.cpu, size, pa);
    return size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff;
  }

  #drop(pa: number, size: number, by: Requester): void {
    this.#log.guest('nothing answers cpu %d writing %d bytes at 0x%x', by.cpu, size, pa);
  }
}
