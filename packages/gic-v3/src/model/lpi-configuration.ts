// SPDX-License-Identifier: Apache-2.0
// An LPI Configuration table in guest memory and what is cached of it. Arm IHI 0069 section 5.1.1.

import type { Dma, ModelLog, PhysAddr } from '@irqkit/core';
import { FIRST_LPI, LPI_CONFIGURATION } from '../regs.js';

// In a constant of this module, which V8 folds; it does not fold what is imported.
const ENABLE = LPI_CONFIGURATION.Enable.mask;

/** Marks a byte as cached: bit 1 of a table's byte means nothing. */
const CACHED = 2;

export interface LpiConfigurationState {
  readonly base: number;
  /** By INTID. */
  readonly bytes: Uint8Array;
}

/**
 * Shared by every Redistributor whose GICR_PROPBASER names the same table.
 * CHOICE: a byte is cached when its LPI first becomes pending and never before, so nothing is prefetched; it is dropped for all
 * who share the table.
 */
export class LpiConfiguration {
  readonly base: number;
  /** INTIDs from here on have no entry. */
  readonly endIntid: number;
  /** By INTID; 0 where nothing is cached. */
  readonly #bytes: Uint8Array;
  readonly #priorityMask: number;
  readonly #dma: Dma;
  readonly #log: ModelLog;
  readonly #one = new Uint8Array(1);

  constructor(base: number, endIntid: number, priorityBits: number, dma: Dma, log: ModelLog) {
    this.base = base;
    this.endIntid = endIntid;
    this.#bytes = new Uint8Array(endIntid);
    this.#priorityMask = LPI_CONFIGURATION.Priority.mask & (0xff << (8 - priorityBits));
    this.#dma = dma;
    this.#log = log;
  }

  /** The priority of a pending LPI, implemented bits only; -1 while it is disabled. */
  priorityOf(intid: number): number {
    const cached = this.#bytes[intid];
    const byte = cached === 0 ? this.#load(intid) : cached;
    return (byte & ENABLE) === 0 ? -1 : byte & this.#priorityMask;
  }

  drop(intid: number): void {
    this.#bytes[intid] = 0;
  }

  dropAll(): void {
    this.#bytes.fill(0);
  }

  save(): LpiConfigurationState {
    return { base: this.base, bytes: this.#bytes.slice() };
  }

  restore(state: LpiConfigurationState): void {
    this.#bytes.set(state.bytes);
  }

  #load(intid: number): number {
    const address = (this.base + intid - FIRST_LPI) as PhysAddr;
    // CHOICE: an entry outside memory is that of a disabled LPI.
    if (!this.#dma.load(address, this.#one)) {
      this.#log.guest('GICR_PROPBASER: no memory at 0x%x', address);
      this.#one[0] = 0;
    }
    this.#bytes[intid] = this.#one[0] | CACHED;
    return this.#one[0];
  }
}
