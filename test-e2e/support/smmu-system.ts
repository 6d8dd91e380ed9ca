// SPDX-License-Identifier: Apache-2.0
// A system whose PCI functions may be behind SMMUs, and what those stopped.

import { physAddr } from '@irqkit/core';
import type { DmaDomain, PagingDomain } from '@irqkit/core';
import { gicV2 } from '@irqkit/gic-v2';
import { gicV2m } from '@irqkit/gic-v2m';
import { gicV3 } from '@irqkit/gic-v3';
import { gicV3Its } from '@irqkit/gic-v3-its';
import { pciHostGeneric } from '@irqkit/pci';
import { SmmuV3Driver, smmuV3 } from '@irqkit/smmu-v3';
import type { SmmuFault } from '@irqkit/smmu-v3';
import { acmeDoors } from './acme-doors.js';
import { ItsSystem } from './its-system.js';
import type { SystemFacts } from './its-system.js';

export const WITHOUT_SMMU = [gicV2, gicV2m, gicV3, gicV3Its, acmeDoors, pciHostGeneric];

export class SmmuSystem extends ItsSystem {
  #faults: SmmuFault[] = [];
  /** Indexes of the table's entries, by function. */
  readonly #sizes: readonly (readonly number[])[];

  constructor(facts: SystemFacts) {
    super({ plugins: [...WITHOUT_SMMU, smmuV3], ...facts });
    this.#sizes = facts.vectors.map((nr) => [...Array(nr).keys()]);
    for (const { instance } of this.host.drivers)
      if (instance instanceof SmmuV3Driver) instance.onFault((fault) => this.#faults.push(fault));
  }

  /** The domain that a function is in. */
  domain(which: number): PagingDomain {
    return this.host.iommus.domainOf(this.devices[which].iommuGroup!) as PagingDomain;
  }

  /** That of a function that is in one. */
  dmaDomain(which: number): DmaDomain {
    return this.host.iommus.dmaDomainOf(this.devices[which])!;
  }

  /** Address and data of each vector of a function, as its table has them. */
  messages(which: number): readonly (readonly [address: number, data: number])[] {
    return this.devices[which].msiDescs.map(({ index }) => [
      this.#entry(which, index, 4) * 2 ** 32 + this.#entry(which, index, 0),
      this.#entry(which, index, 8),
    ]);
  }

  /** The address in every entry of a function's table, 0 where there is none. */
  programmed(which: number): readonly number[] {
    return this.#sizes[which].map((index) => this.#entry(which, index, 4) * 2 ** 32 + this.#entry(which, index, 0));
  }

  /** What SMMUs report of accesses that they stop while `work` runs. */
  stopped(work: () => void): readonly SmmuFault[] {
    this.#faults = [];
    work();
    return this.#faults;
  }

  // PCI Express 7.7.2: address, upper address, data, vector control; nvmeLike has the table at 0x2000 of BAR 0.
  #entry(which: number, index: number, at: number): number {
    const { base } = this.devices[which].barRegion(0);
    return this.board.access.read(physAddr(base + 0x2000 + 16 * index + at), 4, 0);
  }
}

/** Each enabled vector of a function is taken once. */
export function expectAllArrive(system: SmmuSystem, which: number): void {
  const seen = system.devices[which].msiDescs.map((_, vector) => system.taken(() => system.raise(which, vector)));
  expect(seen).toEqual(seen.map((_, vector) => [expect.stringMatching(`^${which}.${vector}@`) as unknown]));
}

/** What an SMMU reports of a write to where nothing is mapped. */
export function untranslated(streamId: number, address: number, stage: 1 | 2 = 1): object {
  return { type: 'F_TRANSLATION', streamId, access: 'write', address, stage, class: 'IN', stalled: false };
}
