// SPDX-License-Identifier: Apache-2.0
// An MSI controller that delivers nothing and writes down what arrives.

import { CORE_API, definePlugin, DOORBELL_PROT, LinuxError, MSI_FLAG, physAddr } from '@irqkit/core';
import type {
  AccessSize,
  GlobalDoorbell,
  IrqChip,
  IrqDomainOps,
  MmioModel,
  Model,
  PhysAddr,
  Plugin,
  ProbeContext,
  Region,
  Requester,
  State,
} from '@irqkit/core';
import { expectThat } from '../../expect/expect.js';
import type { Rig } from '../../rig/rig.js';
import { DOORBELL_COMPATIBLE, DOORBELL_PATH } from './own-firmware.js';

/** Neither at the start of its frame, nor of a page of 4 KiB. */
const SETMSI = 0x1044;

export interface Message {
  readonly data: number;
  readonly requesterId: number;
}

class DoorbellModel implements Model, MmioModel {
  readonly frames: readonly MmioModel[] = [this];
  arrived: Message[] = [];

  read(): number {
    return 0;
  }

  write(offset: number, data: number, size: AccessSize, { requesterId }: Requester): void {
    if (offset === SETMSI && size === 4) this.arrived.push({ data, requesterId });
  }

  save(): State {
    return { version: 1 };
  }

  restore(): void {
    this.arrived = [];
  }
}

export const doorbellController: Plugin = definePlugin({
  name: '@irqkit/conformance doorbell',
  coreApi: CORE_API,
  irqChips: [{ compatible: [DOORBELL_COMPATIBLE], useFactory: probe }],
  models: [{ compatible: [DOORBELL_COMPATIBLE], useFactory: () => new DoorbellModel() }],
});

/** The doorbell's physical address. */
export function doorbellAddress({ base }: Region): PhysAddr {
  return physAddr(base + SETMSI);
}

/** What arrives while `work` runs. */
export function arrivingDuring(rig: Rig, work: () => void): readonly Message[] {
  const model = rig.board.models.get(DOORBELL_PATH);
  expectThat(model instanceof DoorbellModel, () => `${DOORBELL_PATH}: it has no model`);
  model.arrived = [];
  work();
  return model.arrived;
}

function probe({ node, irqs, doorbells, devres }: ProbeContext): object {
  const info: GlobalDoorbell = {
    globalDoorbell: doorbellAddress(node.reg(0)),
    sizeBytes: 4,
    prot: DOORBELL_PROT,
    irqRemapping: false,
  };
  const handle = doorbells.register(info);
  devres.add(() => doorbells.unregister(handle));
  const domain = irqs.createDomain({
    name: node.path,
    node,
    busToken: 'msi-parent',
    ops: doorbellDomainOps(info),
    doorbells: () => [info],
    msiParent: { supportedFlags: MSI_FLAG.PCI_MSIX },
  });
  devres.add(() => irqs.removeDomain(domain));
  return domain;
}

function doorbellDomainOps(info: GlobalDoorbell): IrqDomainOps {
  const chip: IrqChip = {
    name: 'CONF-DB',
    composeMsiMsg({ hwirq }, msg) {
      msg.address = info.globalDoorbell;
      msg.data = hwirq;
    },
    msiDoorbellInfo: () => info,
  };
  return {
    alloc(domain, virq, nr, { desc }) {
      if (!desc || nr > 1) throw new LinuxError('EINVAL', `${domain.name}: only single MSIs are allocated`);
      let hwirq = 0;
      while (domain.find(hwirq)) hwirq++;
      domain.setInfo(virq, hwirq, chip);
    },
    free: () => undefined,
  };
}
