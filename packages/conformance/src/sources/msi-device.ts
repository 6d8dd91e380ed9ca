// SPDX-License-Identifier: Apache-2.0
// A device that has nothing but MSIs: any number of vectors, each written when a check says so.

import { msiDomainAllocIrqs, msiDomainFreeIrqs } from '@irqkit/core';
import type { Device, IrqDomain, MsiDesc, MsiMsg, PhysAddr, Requester } from '@irqkit/core';
import { expectThat } from '../expect/expect.js';
import type { Rig } from '../rig/rig.js';
import { busDomain } from './bus-domain.js';
import type { Source } from './source.js';

export class MsiDevice implements Device {
  readonly name: string;
  readonly node = undefined;
  readonly requesterId: number;
  readonly msiDeviceId: number;
  readonly msiDomain: IrqDomain;
  readonly iommuGroup = undefined;
  readonly msiTranslation = undefined;
  readonly msiDescs: MsiDesc[] = [];
  readonly #rig: Rig;
  readonly #requester: Requester;

  constructor(rig: Rig, deviceId: number) {
    this.#rig = rig;
    this.name = `conformance device ${deviceId}`;
    this.requesterId = deviceId;
    this.msiDeviceId = deviceId;
    this.msiDomain = busDomain(rig.host.irqs, rig.node);
    this.#requester = { kind: 'device', cpu: -1, requesterId: deviceId, streamId: -1, deviceId };
  }

  /** Enables `nr` single vectors. @throws LinuxError as the controller does */
  enable(nr: number): readonly Source[] {
    return this.#enable(Array.from({ length: nr }, (_, index) => ({ index, nrVectors: 1 })));
  }

  /** Enables one block of `nr` vectors, which share an address. @throws LinuxError as the controller does */
  enableBlock(nr: number): readonly Source[] {
    return this.#enable([{ index: 0, nrVectors: nr }]);
  }

  disable(): void {
    msiDomainFreeIrqs(this.#rig.host.irqs, this);
  }

  /** What is programmed for the desc of `virq`. */
  messageOf(virq: number): MsiMsg {
    const desc = this.msiDescs.find(
      (candidate) => virq >= candidate.virq && virq < candidate.virq + candidate.nrVectors,
    );
    expectThat(desc !== undefined, () => `${this.name}: irq ${virq} is none of its vectors`);
    return desc.msg;
  }

  /** Writes a message as this device does, whoever it was composed for. */
  write({ address, data }: MsiMsg): void {
    const answered = this.#rig.board.access.deviceWrite(address as PhysAddr, data, 4, this.#requester);
    expectThat(answered, () => `nothing on the board answers a message to 0x${address.toString(16)}`);
  }

  #enable(shapes: readonly { readonly index: number; readonly nrVectors: number }[]): readonly Source[] {
    const hardware = { write: () => undefined };
    const descs = msiDomainAllocIrqs(
      this.#rig.host.irqs,
      this,
      shapes.map((shape) => ({ ...shape, hardware })),
    );
    return descs.flatMap((desc) => Array.from({ length: desc.nrVectors }, (_, i) => this.#source(desc, i)));
  }

  // A device replaces the low bits of a block's data by the vector's number: PCI Express Base Specification, "Message Data
  // Register for MSI".
  #source(desc: MsiDesc, i: number): Source {
    return {
      label: `vector ${desc.index + i}`,
      virq: desc.virq + i,
      raise: () => this.write({ ...desc.msg, data: desc.msg.data - (desc.msg.data % desc.nrVectors) + i }),
      settle: () => undefined,
    };
  }
}
