// SPDX-License-Identifier: Apache-2.0
// A device whose accesses pass the IOMMU: it reads and writes memory, and has MSIs.

import { msiDomainAllocIrqs, msiDomainFreeIrqs } from '@irqkit/core';
import type { Device, DmaPort, IommuGroup, IrqDomain, MappedId, MsiDesc, MsiMsg, MsiTranslation } from '@irqkit/core';
import { expectThat } from '../../expect/expect.js';
import type { Rig } from '../../rig/rig.js';
import { busDomain } from '../../sources/bus-domain.js';
import { DOORBELL_PATH, streamIdOf } from './own-firmware.js';
import { portOf } from './test-bus.js';

export class DmaDevice implements Device {
  readonly name: string;
  readonly node = undefined;
  readonly requesterId: number;
  readonly msiDeviceId: number;
  readonly msiDomain: IrqDomain;
  readonly iommuIds: readonly MappedId[];
  iommuGroup: IommuGroup | undefined;
  msiTranslation: MsiTranslation | undefined;
  readonly msiDescs: MsiDesc[] = [];
  readonly #rig: Rig;
  readonly #port: DmaPort;

  /** `requesterId`: which of the machine's ids it has; another device may have the same. */
  constructor(rig: Rig, requesterId: number, name = `conformance device ${requesterId}`) {
    const { host, machine, node, board } = rig;
    const doorbell = machine.firmware.find(DOORBELL_PATH);
    expectThat(doorbell !== undefined, () => `${machine.path}: the machine has not been given devices`);
    this.name = name;
    this.requesterId = requesterId;
    this.msiDeviceId = requesterId;
    this.msiDomain = busDomain(host.irqs, doorbell);
    this.iommuIds = [{ controller: node, id: streamIdOf(machine, requesterId) }];
    this.#rig = rig;
    this.#port = portOf(board, requesterId);
  }

  /** The same device on another board of the machine, by its accesses alone. */
  portOn(rig: Rig): DmaPort {
    return portOf(rig.board, this.requesterId);
  }

  get group(): IommuGroup {
    expectThat(this.iommuGroup !== undefined, () => `${this.name}: it was taken in and has no group`);
    return this.iommuGroup;
  }

  /** Bytes at a bus address; undefined where the access faults or nothing answers. */
  load(address: number, sizeBytes: number): Uint8Array | undefined {
    const bytes = new Uint8Array(sizeBytes);
    return this.#port.load(address, bytes) ? bytes : undefined;
  }

  /** False where the access faults or nothing answers. */
  store(address: number, bytes: Uint8Array): boolean {
    return this.#port.store(address, bytes);
  }

  /** Enables one vector. @throws LinuxError as the frameworks do */
  enableMsi(): MsiMsg {
    const hardware = { write: () => undefined };
    const [{ msg }] = msiDomainAllocIrqs(this.#rig.host.irqs, this, [{ index: 0, nrVectors: 1, hardware }]);
    return msg;
  }

  disableMsi(): void {
    msiDomainFreeIrqs(this.#rig.host.irqs, this);
  }

  /** Writes a message; false where the access faults or nothing answers. */
  send({ address, data }: MsiMsg): boolean {
    return this.#port.write32(address, data);
  }
}
