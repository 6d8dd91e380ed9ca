// SPDX-License-Identifier: Apache-2.0
// System register accesses of whichever processor is current, bracketed like every other access of a processor.

import type { SystemRegisters, SystemRegistersModel } from '@irqkit/core';
import type { Processors } from './processors.js';

export class CurrentSystemRegisters implements SystemRegisters {
  readonly #cpus: Processors;
  readonly #model: SystemRegistersModel;

  constructor(cpus: Processors, model: SystemRegistersModel) {
    this.#cpus = cpus;
    this.#model = model;
  }

  read(register: number): number {
    if (!this.#cpus.enter()) return 0;
    try {
      return this.#model.read(this.#cpus.current, register);
    } finally {
      this.#cpus.leave();
    }
  }

  write(register: number, lo: number, hi = 0): void {
    if (!this.#cpus.enter()) return;
    try {
      this.#model.write(this.#cpus.current, register, lo, hi);
    } finally {
      this.#cpus.leave();
    }
  }
}
