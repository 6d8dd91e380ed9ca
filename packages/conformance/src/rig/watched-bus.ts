// SPDX-License-Identifier: Apache-2.0
// A bus that remembers what was taken from it, fails where it is told to, and can keep processors from being interrupted.

import { hex } from '@irqkit/bits';
import type { Bus, CpuPort, DmaBuffer, DmaMemory, MmioRegion, Region, SystemRegisters } from '@irqkit/core';
import type { Faults } from './faults.js';

export class WatchedBus implements Bus {
  readonly memory: DmaMemory;
  readonly cpus: WatchedCpus;
  readonly #bus: Bus;
  readonly #faults: Faults;
  readonly #mapped = new Set<MmioRegion>();
  readonly #buffers = new Set<DmaBuffer>();

  constructor(bus: Bus, faults: Faults) {
    this.#bus = bus;
    this.#faults = faults;
    this.cpus = new WatchedCpus(bus.cpus);
    this.memory = {
      alloc: (sizeBytes, align) => {
        faults.step(`memory.alloc of ${sizeBytes} bytes`);
        const buffer = bus.memory.alloc(sizeBytes, align);
        this.#buffers.add(buffer);
        return buffer;
      },
      free: (buffer) => {
        bus.memory.free(buffer);
        this.#buffers.delete(buffer);
      },
    };
  }

  map(region: Region): MmioRegion {
    this.#faults.step(`bus.map of ${hex(region.base)}`);
    const mapped = this.#bus.map(region);
    this.#mapped.add(mapped);
    return mapped;
  }

  unmap(region: MmioRegion): void {
    this.#bus.unmap(region);
    this.#mapped.delete(region);
  }

  /** What is allocated now. */
  get buffers(): ReadonlySet<DmaBuffer> {
    return this.#buffers;
  }

  /** One line for each thing taken and not given back. Where memory is does not matter. */
  get taken(): readonly string[] {
    return [
      ...[...this.#mapped].map(({ base }) => `the mapping of ${hex(base)}`),
      ...[...this.#buffers].map(({ sizeBytes }) => `a buffer of ${sizeBytes} bytes of DMA memory`),
      ...new Array<string>(this.cpus.nrListeners).fill('an interrupt listener'),
    ];
  }
}

export class WatchedCpus implements CpuPort {
  readonly count: number;
  readonly mpidr: readonly number[];
  readonly sysregs: SystemRegisters | undefined;
  readonly #cpus: CpuPort;
  readonly #listeners = new Set<(cpu: number) => void>();
  #held = false;

  constructor(cpus: CpuPort) {
    this.#cpus = cpus;
    this.count = cpus.count;
    this.mpidr = cpus.mpidr;
    this.sysregs = cpus.sysregs;
  }

  get current(): number {
    return this.#cpus.current;
  }

  get nrListeners(): number {
    return this.#listeners.size;
  }

  runOn<T>(cpu: number, work: () => T): T {
    return this.#cpus.runOn(cpu, work);
  }

  irqAsserted(cpu: number): boolean {
    return this.#cpus.irqAsserted(cpu);
  }

  onIrq(callback: (cpu: number) => void): () => void {
    const listener = (cpu: number) => {
      if (!this.#held) callback(cpu);
    };
    this.#listeners.add(listener);
    const remove = this.#cpus.onIrq(listener);
    return () => {
      remove();
      this.#listeners.delete(listener);
    };
  }

  /** Every processor masks its IRQ input, as PSTATE.I does. */
  hold(): void {
    this.#held = true;
  }

  /** Ends `hold`: inputs that are asserted are taken now. */
  release(): void {
    this.#held = false;
    for (let cpu = 0; cpu < this.count; cpu++)
      for (const listener of this.#listeners) if (this.irqAsserted(cpu)) listener(cpu);
  }
}
