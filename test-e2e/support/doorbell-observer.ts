// SPDX-License-Identifier: Apache-2.0
// Looks, at every step that software takes on the bus, whether what functions would write to is mapped for them in the SMMU's tables
// in memory.

import { hex } from '@irqkit/bits';
import type { BusHooks } from './hooked-bus.js';
import type { SmmuSystem } from './smmu-system.js';
import type { SmmuTables } from './smmu-tables.js';

export class DoorbellObserver implements BusHooks {
  /** One line for each instant at which something was wrong. */
  readonly violations: string[] = [];
  nrSteps = 0;
  readonly #system: SmmuSystem;
  readonly #tables: SmmuTables;

  constructor(system: SmmuSystem, tables: SmmuTables) {
    this.#system = system;
    this.#tables = tables;
  }

  alloc(): void {
    this.#look('before memory is taken');
  }

  freed(): void {
    this.#look('after memory was given back');
  }

  write(address: number): boolean {
    this.#look(`before a write at ${hex(address)}`);
    return true;
  }

  written(address: number): void {
    this.#look(`after a write at ${hex(address)}`);
  }

  read(address: number): void {
    this.#look(`before a read at ${hex(address)}`);
  }

  #look(when: string): void {
    this.nrSteps++;
    this.#system.devices.forEach((device, which) => {
      const programmed = this.#system.programmed(which).filter((address) => address !== 0);
      if (programmed.length === 0) return;
      const bound = this.#system.domain(which).msiBindings!.bindings.filter(({ users }) => users > 0);
      for (const { iova, pa } of bound)
        if (this.#tables.lookup(device.requesterId, iova) !== pa)
          this.violations.push(`${when}: ${device.name} is enabled, its doorbell page ${hex(pa)} is not mapped`);
      for (const address of new Set(programmed)) {
        const pa = this.#tables.lookup(device.requesterId, address);
        if (pa === undefined || !bound.some((page) => page.pa === pa - (pa % 0x1000)))
          this.violations.push(`${when}: ${device.name} has ${hex(address)}, which leads to no doorbell`);
      }
    });
  }
}
