// SPDX-License-Identifier: Apache-2.0
// One requester's way to memory and doorbells: through its IOMMU, where there is one, into the address space.
// Missing: 64-bit writes in one piece, addresses from 2^52 up.

import type { DmaPort, FirmwareNode, IommuModel, Requester } from '@irqkit/core';
import type { Processors } from '../processors.js';
import type { AccessPoint } from '../space/access-point.js';

/** The smallest translation granule of Arm's IOMMUs: no call of `translate` covers more. */
const GRANULE_BYTES = 0x1000;

const ADDRESS_LIMIT = 2 ** 52;

/** The IOMMU that stands for a node; null where nothing models one, undefined while the board is being built. */
export type IommuOf = (controller: FirmwareNode) => IommuModel | null | undefined;

/** What the ports of one bus share. */
export interface PortSurroundings {
  readonly cpus: Processors;
  readonly point: AccessPoint;
  readonly iommuOf: IommuOf;
}

export class DevicePort implements DmaPort {
  readonly requester: Requester;
  readonly #cpus: Processors;
  readonly #point: AccessPoint;
  readonly #iommuOf: IommuOf;
  readonly #controller: FirmwareNode | undefined;
  #iommu: IommuModel | null | undefined;

  /** `controller`: the node that the requester's StreamID leads to. */
  constructor(requester: Requester, controller: FirmwareNode | undefined, { cpus, point, iommuOf }: PortSurroundings) {
    this.requester = requester;
    this.#controller = controller;
    this.#cpus = cpus;
    this.#point = point;
    this.#iommuOf = iommuOf;
  }

  write32(address: number, value: number): boolean {
    if (!this.#begin(address, 4)) return false;
    try {
      if (this.#iommu == null) return this.#point.write(address, value, 4, this.requester);
      if (bytesLeft(address) < 4) return this.#writeAcross(address, value);
      const pa = this.#iommu.translate(this.requester, address, true);
      return pa >= 0 && this.#point.write(pa, value, 4, this.requester);
    } finally {
      this.#cpus.leave();
    }
  }

  load(address: number, into: Uint8Array): boolean {
    if (!this.#begin(address, into.length)) return false;
    try {
      return this.#copy(address, into, false);
    } finally {
      this.#cpus.leave();
    }
  }

  store(address: number, from: Uint8Array): boolean {
    if (!this.#begin(address, from.length)) return false;
    try {
      return this.#copy(address, from, true);
    } finally {
      this.#cpus.leave();
    }
  }

  // UNIMP: device addresses at or above 2^52
  // They reach nothing, and the IOMMU records no fault of them.
  #begin(address: number, sizeBytes: number): boolean {
    if (!(address >= 0 && address + sizeBytes <= ADDRESS_LIMIT)) return false;
    if (this.#iommu === undefined) {
      this.#iommu = this.#controller === undefined ? null : this.#iommuOf(this.#controller);
      if (this.#iommu === undefined) return false;
    }
    return this.#cpus.enter();
  }

  // UNIMP: 64-bit writes by devices
  // To a frame they go as two words.
  #copy(address: number, bytes: Uint8Array, write: boolean): boolean {
    const by = this.requester;
    const point = this.#point;
    const iommu = this.#iommu;
    for (let at = 0; at < bytes.length;) {
      const here = address + at;
      const n = iommu == null ? bytes.length : Math.min(bytes.length - at, bytesLeft(here));
      const pa = iommu == null ? here : iommu.translate(by, here, write);
      if (!(pa >= 0)) return false;
      if (!(write ? point.store(pa, bytes, at, n, by) : point.load(pa, bytes, at, n, by))) return false;
      at += n;
    }
    return true;
  }

  #writeAcross(address: number, value: number): boolean {
    return this.#copy(address, Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24), true);
  }
}

function bytesLeft(address: number): number {
  return GRANULE_BYTES - (address - Math.floor(address / GRANULE_BYTES) * GRANULE_BYTES);
}
