// SPDX-License-Identifier: Apache-2.0
// Where interrupts enter software: the root handler, taken at bus depth 0 with interrupts enabled, never nested.

import type { CpuPort } from '../contracts/bus.js';
import { LinuxError } from '../contracts/errno.js';

/** Acknowledges and serves everything that waits on the processor it is called on. */
export type RootHandler = (cpu: number) => void;

export class IrqEntry {
  readonly #cpus: CpuPort;
  readonly #entries: readonly (() => void)[];
  readonly #detach: () => void;
  #handler: RootHandler | undefined;
  #disableDepth = 0;
  #missed = false;

  constructor(cpus: CpuPort) {
    this.#cpus = cpus;
    this.#entries = Array.from({ length: cpus.count }, (_, cpu) => () => this.#handler?.(cpu));
    this.#detach = cpus.onIrq((cpu) => this.#take(cpu));
  }

  /** @throws LinuxError EBUSY where there is one already. @linux set_handle_irq */
  setHandler(handler: RootHandler): () => void {
    if (this.#handler) throw new LinuxError('EBUSY', 'a root interrupt handler is already set');
    this.#handler = handler;
    return () => {
      this.#handler = undefined;
    };
  }

  /** Runs `work` with interrupts disabled; those that arrive meanwhile are taken after it. @linux local_irq_save */
  withIrqsDisabled<T>(work: () => T): T {
    this.#disableDepth++;
    try {
      return work();
    } finally {
      this.#disableDepth--;
      if (this.#disableDepth === 0 && this.#missed) this.#takeMissed();
    }
  }

  /** Stops listening to the processors. */
  detach(): void {
    this.#handler = undefined;
    this.#detach();
  }

  #take(cpu: number): void {
    if (!this.#handler) return;
    if (this.#disableDepth > 0) {
      this.#missed = true;
      return;
    }
    this.#serve(cpu);
    if (this.#missed) this.#takeMissed();
  }

  #serve(cpu: number): void {
    this.#disableDepth++;
    try {
      this.#cpus.runOn(cpu, this.#entries[cpu]);
    } finally {
      this.#disableDepth--;
    }
  }

  // Inputs that rose while interrupts were disabled, the lowest processor first.
  #takeMissed(): void {
    while (this.#missed) {
      this.#missed = false;
      for (let cpu = 0; cpu < this.#cpus.count; cpu++)
        if (this.#handler && this.#cpus.irqAsserted(cpu)) this.#serve(cpu);
    }
  }
}
