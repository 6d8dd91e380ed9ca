// SPDX-License-Identifier: Apache-2.0
// One requester's way to memory and doorbells: through its IOMMU, where there is one, into the address space. It remembers the
// way to the doorbell that it wrote last, by shapes that any IOMMU and any frame may have.
// Missing: 64-bit writes in one piece, addresses from 2^52 up.

import type { DmaPort, Doorbell, FirmwareNode, IommuModel, Requester } from '@irqkit/core';
import type { Processors } from '../processors.js';
import type { AccessPoint } from '../space/access-point.js';
import type { AddressSpace, Rememberer } from '../space/address-space.js';

/** The smallest translation granule of Arm's IOMMUs: no call of `translate` covers more. */
const GRANULE_BYTES = 0x1000;

const ADDRESS_LIMIT = 2 ** 52;

/** Says how long an address that a device uses leads where it does. */
type Guard = Pick<IommuModel, 'generation'>;

const NO_ROUTE: Guard = Object.freeze({ generation: -1 });
/** Where nothing translates, addresses stay what they are. */
const UNTRANSLATED: Guard = Object.freeze({ generation: 0 });

const SILENT: Doorbell = { signal: () => undefined, isPending: () => true };

/** The IOMMU that stands for a node; null where nothing models one, undefined while the board is being built. */
export type IommuOf = (controller: FirmwareNode) => IommuModel | null | undefined;

/** What the ports of one bus share. */
export interface PortSurroundings {
  readonly cpus: Processors;
  readonly space: AddressSpace;
  readonly point: AccessPoint;
  readonly iommuOf: IommuOf;
}

export class DevicePort implements DmaPort, Rememberer {
  readonly requester: Requester;
  // The doorbell that stands at an address of the device, while `guard` has that generation.
  #doorbellAddress = 0;
  #doorbell = SILENT;
  #guard = NO_ROUTE;
  #generation = 0;
  readonly #deviceId: number;
  readonly #cpus: Processors;
  readonly #point: AccessPoint;
  readonly #iommuOf: IommuOf;
  readonly #controller: FirmwareNode | undefined;
  #iommu: IommuModel | null | undefined;

  /** `controller`: the node that the requester's StreamID leads to. */
  constructor(requester: Requester, controller: FirmwareNode | undefined, surroundings: PortSurroundings) {
    const { cpus, space, point, iommuOf } = surroundings;
    this.requester = requester;
    this.#deviceId = requester.deviceId;
    this.#controller = controller;
    this.#cpus = cpus;
    this.#point = point;
    this.#iommuOf = iommuOf;
    space.tell(this);
  }

  /** Hot. */
  write32(address: number, value: number): boolean {
    if (address !== this.#doorbellAddress || this.#guard.generation !== this.#generation)
      return this.#write32(address, value);
    const data = value >>> 0;
    if (this.#doorbell.isPending(this.#deviceId, data)) return this.#cpus.admits;
    return this.#cpus.ring(this.#doorbell, this.#deviceId, data);
  }

  forget(): void {
    this.#guard = NO_ROUTE;
    this.#generation = 0;
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

  #write32(address: number, value: number): boolean {
    if (!this.#begin(address, 4)) return false;
    try {
      if (this.#iommu != null && bytesLeft(address) < 4) return this.#writeAcross(address, value);
      const pa = this.#iommu == null ? address : this.#iommu.translate(this.requester, address, true);
      if (!(pa >= 0)) return false;
      this.#remember(address, pa);
      return this.#point.write(pa, value, 4, this.requester);
    } finally {
      this.#cpus.leave();
    }
  }

  #remember(address: number, pa: number): void {
    const guard = this.#iommu ?? UNTRANSLATED;
    const { generation } = guard;
    const doorbell = generation === undefined ? undefined : this.#point.doorbellAt(pa);
    if (generation === undefined || doorbell === undefined) return;
    this.#doorbellAddress = address;
    this.#doorbell = doorbell;
    this.#guard = guard;
    this.#generation = generation;
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
