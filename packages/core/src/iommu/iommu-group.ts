// SPDX-License-Identifier: Apache-2.0
// A group and the domain that all of its devices are in.

import type { Device } from '../contracts/device.js';
import type { FirmwareNode } from '../contracts/firmware.js';
import type { IommuGroup } from '../contracts/iommu.js';
import type { PagingDomain } from './paging-domain.js';

export interface GroupOptions {
  readonly id: number;
  readonly iommu: FirmwareNode;
  readonly translatesMsi: boolean;
  readonly defaultDomain: PagingDomain;
}

export class Group implements IommuGroup {
  readonly id: number;
  readonly iommu: FirmwareNode;
  readonly defaultDomain: PagingDomain;
  readonly devices: Device[] = [];
  /** Where its devices reach nothing, while user space owns it. */
  claimedBy: PagingDomain | undefined;
  readonly #translatesMsi: boolean;
  #domain: PagingDomain;

  constructor({ id, iommu, translatesMsi, defaultDomain }: GroupOptions) {
    this.id = id;
    this.iommu = iommu;
    this.#translatesMsi = translatesMsi;
    this.defaultDomain = defaultDomain;
    this.#domain = defaultDomain;
  }

  get domain(): PagingDomain {
    return this.#domain;
  }

  /** Where the devices are while nobody has attached them to another. */
  get restDomain(): PagingDomain {
    return this.claimedBy ?? this.defaultDomain;
  }

  /** Takes a device in, to the domain that the others are in. @throws what the driver throws, with nothing changed */
  add(device: Device): void {
    this.#domain.ops.attach(device);
    this.devices.push(device);
    device.iommuGroup = this;
    device.msiTranslation = this.#msiTranslation;
  }

  /** Lets a device go; its driver has released it. */
  remove(device: Device): void {
    this.devices.splice(this.devices.indexOf(device), 1);
    device.iommuGroup = undefined;
    device.msiTranslation = undefined;
  }

  /** Moves every device to `domain`. @throws what the driver throws, with all of them back where they were */
  moveTo(domain: PagingDomain): void {
    const moved: Device[] = [];
    try {
      for (const device of this.devices) {
        domain.ops.attach(device);
        moved.unshift(device);
      }
    } catch (error) {
      for (const device of moved) this.#domain.ops.attach(device);
      throw error;
    }
    this.#domain = domain;
    for (const device of this.devices) device.msiTranslation = this.#msiTranslation;
  }

  get #msiTranslation(): Device['msiTranslation'] {
    return this.#translatesMsi ? this.#domain.msiBindings : undefined;
  }
}
