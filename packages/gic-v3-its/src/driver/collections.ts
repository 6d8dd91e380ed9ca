// SPDX-License-Identifier: Apache-2.0
// Collections: one for each processor, with the processor's number as its ICID. IHI 0069, section 5.2.4.

import { LinuxError } from '@irqkit/core';
import type { CpuPort, Redistributor, Redistributors } from '@irqkit/core';
import type { CommandQueue } from './command-queue.js';
import { invall, mapc } from './command-words.js';
import type { ItsFeatures, ItsUnit } from './its-unit.js';

/** Bytes that an RDbase counts in. */
const RDBASE_STEP = 0x1_0000;

/** What an ITS's commands call a redistributor, in place. */
export function rdbaseOf({ targetsAreAddresses }: ItsFeatures, { frame, processorNumber }: Redistributor): number {
  return targetsAreAddresses ? frame.base : processorNumber * RDBASE_STEP;
}

/** @throws LinuxError ENOSPC for an ITS that has too few @linux its_alloc_collections */
export function checkCollections({ path, features }: ItsUnit, nr: number, inMemory: boolean): void {
  const has = inMemory ? features.nrCollectionIds : features.nrInternalCollections;
  if (nr > has) throw new LinuxError('ENOSPC', `${path}: no room for ${nr} collections, there are ${has}`);
}

export class Collections {
  readonly #unit: ItsUnit;
  readonly #queue: CommandQueue;
  readonly #redistributors: Redistributors;
  readonly #cpus: CpuPort;

  constructor(unit: ItsUnit, queue: CommandQueue, redistributors: Redistributors, cpus: CpuPort) {
    this.#unit = unit;
    this.#queue = queue;
    this.#redistributors = redistributors;
    this.#cpus = cpus;
  }

  /** The RDbase of a processor's collection: what a SYNC names. */
  targetOf(cpu: number): number {
    return rdbaseOf(this.#unit.features, this.#redistributors.byCpu[cpu]);
  }

  /** Leads a processor's collection to its redistributor, from that processor. @linux its_cpu_init_collection */
  map(cpu: number): void {
    const syncTarget = this.targetOf(cpu);
    this.#cpus.runOn(cpu, () => {
      this.#queue.issue(mapc(cpu, syncTarget, true), { syncTarget, undo: mapc(cpu, syncTarget, false) });
      this.#queue.issue(invall(cpu), { syncTarget });
    });
  }

  /** The processors of `cpus` that take interrupts now. */
  online(cpus: readonly number[]): readonly number[] {
    return cpus.filter((cpu) => this.#redistributors.online.includes(cpu));
  }

  get allOnline(): readonly number[] {
    return this.#redistributors.online;
  }
}
