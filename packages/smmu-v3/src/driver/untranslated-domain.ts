// SPDX-License-Identifier: Apache-2.0
// Domains without tables: identity, where streams bypass translation, and blocked, where they abort.

import { LinuxError } from '@irqkit/core';
import type { Device, IommuDomainOps, Iova, IovaRange, IotlbGather, PhysAddr } from '@irqkit/core';
import type { SmmuParts } from './smmu-parts.js';
import { BYPASS_ENTRY } from './stream-entry.js';

const BYPASS = { entry: BYPASS_ENTRY, prepare: () => undefined };

export class UntranslatedDomain implements IommuDomainOps {
  readonly pageSizes = [];
  readonly aperture: IovaRange;
  readonly #parts: SmmuParts;
  readonly #type: 'identity' | 'blocked';

  constructor(parts: SmmuParts, type: 'identity' | 'blocked') {
    this.#parts = parts;
    this.#type = type;
    this.aperture = { first: 0 as Iova, last: (2 ** parts.unit.features.oasBits - 1) as Iova };
  }

  /** @throws LinuxError ENODEV */
  mapPages(): void {
    throw new LinuxError('ENODEV', `${this.#parts.unit.path}: the ${this.#type} domain has no tables`);
  }

  unmapPages(): number {
    return 0;
  }

  iovaToPhys(iova: Iova): PhysAddr | undefined {
    return this.#type === 'identity' ? (iova as number as PhysAddr) : undefined;
  }

  /** There is nothing to forget: entries of other domains have their own ids. */
  flushIotlbAll(): void {
    return;
  }

  iotlbSync(gather: IotlbGather): void {
    gather.reset();
  }

  attach(device: Device): void {
    this.#parts.masters.attach(device, this.#type === 'identity' ? BYPASS : undefined);
  }

  free(): void {
    return;
  }
}
