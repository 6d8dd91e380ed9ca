// SPDX-License-Identifier: Apache-2.0
// An MSI frame for tests: a device rings input n of the controller above by writing n to BELL.

import { CORE_API, DOORBELL_PROT, IRQ_TYPE, LinuxError, MSI_FLAG, definePlugin, parentChip } from '@irqkit/core';
import type {
  AccessSize,
  IrqChip,
  IrqDomainOps,
  MmioModel,
  Model,
  ModelContext,
  Plugin,
  ProbeContext,
} from '@irqkit/core';

const BELL = 0x40;
const FIRST = 64;
const FIRST_INTID = 32;

function bellModel({ interruptParent }: ModelContext): Model {
  const frame: MmioModel = {
    read: () => 0,
    write(offset: number, value: number, size: AccessSize) {
      if (offset === BELL && size === 4) interruptParent.sink.setPending(FIRST_INTID + value);
    },
  };
  return { frames: [frame], save: () => ({ version: 1 }), restore: () => undefined };
}

function bellDriver(context: ProbeContext, nr: number, supportedFlags: number): void {
  const { node, irqs, devres, doorbells } = context;
  const controller = node.interruptParent!;
  const registers = context.ioremap(0);
  const doorbell = { globalDoorbell: registers.at(BELL), sizeBytes: 4, prot: DOORBELL_PROT, irqRemapping: false };
  const handle = doorbells.register(doorbell);
  devres.add(() => doorbells.unregister(handle));
  const taken = new Set<number>();
  const chip: IrqChip = {
    ...parentChip,
    name: 'BELL',
    composeMsiMsg({ hwirq }, msg) {
      msg.address = registers.at(BELL);
      msg.data = hwirq;
    },
    msiDoorbellInfo: () => handle.info,
  };
  const ops: IrqDomainOps = {
    alloc(domain, virq, count) {
      let first = FIRST;
      while (first < FIRST + nr && Array.from({ length: count }, (_, i) => first + i).some((n) => taken.has(n)))
        first += count;
      if (first + count > FIRST + nr) throw new LinuxError('ENOSPC', `${node.path}: no input is free`);
      for (let i = 0; i < count; i++) {
        domain.allocParent(virq + i, 1, { spec: { controller, args: [0, first + i, IRQ_TYPE.EDGE_RISING] } });
        domain.setInfo(virq + i, first + i, chip);
        parentChip.setType(domain.irqData(virq + i), IRQ_TYPE.EDGE_RISING);
        taken.add(first + i);
      }
    },
    free(domain, virq, count) {
      for (let i = 0; i < count; i++) taken.delete(domain.irqData(virq + i).hwirq);
      for (let i = 0; i < count; i++) domain.freeParent(virq + i, 1);
    },
  };
  const domain = irqs.createDomain({
    name: node.path,
    node,
    busToken: 'msi-parent',
    parent: irqs.requireDomain(controller, 'wired'),
    ops,
    doorbells: () => [handle.info],
    msiParent: { supportedFlags },
  });
  devres.add(() => irqs.removeDomain(domain));
}

const ALL_FLAGS = MSI_FLAG.MULTI_PCI_MSI | MSI_FLAG.PCI_MSIX;

/** With so many inputs for messages. */
export function bellFrame(nr = 32, supportedFlags: number = ALL_FLAGS): Plugin {
  const compatible = ['test,bells'];
  return definePlugin({
    name: 'test bells',
    coreApi: CORE_API,
    irqChips: [{ compatible, useFactory: (context) => bellDriver(context, nr, supportedFlags) as never }],
    models: [{ compatible, useFactory: bellModel }],
  });
}
