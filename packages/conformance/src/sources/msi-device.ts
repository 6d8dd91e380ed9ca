// SPDX-License-Identifier: Apache-2.0
// A device that has nothing but MSIs: any number of vectors, each written when a check says so.

import { createMsiDomain, MSI_FLAG, msiDomainAllocIrqs, msiDomainFreeIrqs } from '@irqkit/core';
import type { Device, IrqDomain, MsiDesc, MsiMsg, PhysAddr, Requester } from '@irqkit/core';
import { expectThat } from '../expect/expect.js';
import type { Rig } from '../rig/rig.js';
import type { Source } from './source.js';

/** As many as PCIe's MSI-X has at most. */
export const MOST_VECTORS = 2048;

const BUS_TOKEN = 'conformance-msi';

export class MsiDevice implements Device {
  readonly name: string;
  readonly node = undefined;
  readonly requesterId: number;
  readonly msiDeviceId: number;
  readonly msiDomain: IrqDomain;
  // UNIMP: MSIs of devices behind an IOMMU
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
    this.msiDomain = busDomain(rig);
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

// One for all devices of a host, found again by its token.
function busDomain(rig: Rig): IrqDomain {
  const { irqs } = rig.host;
  const found = irqs.findDomain(rig.node, BUS_TOKEN);
  if (found) return found;
  const domain = createMsiDomain(irqs, irqs.requireDomain(rig.node, 'msi-parent'), {
    name: 'conformance MSI',
    busToken: BUS_TOKEN,
    info: {
      flags: MSI_FLAG.MULTI_PCI_MSI | MSI_FLAG.PCI_MSIX,
      chip: { name: 'CONF-MSI' },
      hwirqOf: ({ device, index }) => device.requesterId * MOST_VECTORS + index,
    },
  });
  irqs.aliasDomain(rig.node, BUS_TOKEN, domain);
  return domain;
}
