// SPDX-License-Identifier: Apache-2.0
// Domains without tables, for an IOMMU's driver to give out: identity, where accesses bypass translation, and blocked, where
// they are stopped.

import type { Iova, PhysAddr } from '../contracts/address.js';
import type { Device } from '../contracts/device.js';
import { LinuxError } from '../contracts/errno.js';
import type { FirmwareNode } from '../contracts/firmware.js';
import type { IommuDomainOps, IotlbGather, IovaRange } from '../contracts/iommu.js';

export interface UntranslatedDomainOptions {
  readonly iommu: Pick<FirmwareNode, 'path'>;
  readonly type: 'identity' | 'blocked';
  /** How many address bits leave the IOMMU. */
  readonly outputBits: number;
  /** As IommuDomainOps.attach. */
  readonly attach: (device: Device) => void;
}

export class UntranslatedDomain implements IommuDomainOps {
  readonly pageSizes = [];
  readonly aperture: IovaRange;
  readonly attach: (device: Device) => void;
  readonly #path: string;
  readonly #type: 'identity' | 'blocked';

  constructor({ iommu, type, outputBits, attach }: UntranslatedDomainOptions) {
    this.#path = iommu.path;
    this.#type = type;
    this.attach = attach;
    this.aperture = { first: 0 as Iova, last: (2 ** outputBits - 1) as Iova };
  }

  /** @throws LinuxError ENODEV */
  mapPages(): void {
    throw new LinuxError('ENODEV', `${this.#path}: the ${this.#type} domain has no tables`);
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

  free(): void {
    return;
  }
}
