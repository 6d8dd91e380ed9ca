// SPDX-License-Identifier: Apache-2.0
// The toy's driver, with the places where broken ones differ.

import {
  CORE_API,
  DOORBELL_PROT,
  IRQ_DOMAIN_FLAG,
  LinuxError,
  MSI_FLAG,
  definePlugin,
  parentChip,
  physAddr,
} from '@irqkit/core';
import type {
  DoorbellRegistry,
  IrqChip,
  IrqDomain,
  IrqDomainOps,
  MmioRegion,
  Model,
  ModelContext,
  MsiDoorbellInfo,
  Plugin,
  ProbeContext,
} from '@irqkit/core';
import { MSI_COMPATIBLE, TOY_INTIDS } from './toy-machine.js';
import { ENABLE, SETMSI, ToyModel } from './toy-model.js';
import { VectorPool } from './vector-pool.js';

export interface ToyQuirks {
  /** Where messages go, from the frame's base. */
  readonly messageOffset?: number;
  readonly claimsRemapping?: boolean;
  readonly pool?: () => VectorPool;
  /** Takes `nr` vectors and their parents. */
  readonly take?: (pool: VectorPool, domain: IrqDomain, virq: number, nr: number) => number;
  /** Registers the doorbell and makes the domain. */
  readonly publish?: (context: ProbeContext, info: MsiDoorbellInfo, makeDomain: () => void) => void;
  readonly makeModel?: (context: ModelContext) => Model;
}

export function toyPlugin(quirks: ToyQuirks = {}): Plugin {
  return definePlugin({
    name: 'toy-msi',
    coreApi: CORE_API,
    irqChips: [{ compatible: [MSI_COMPATIBLE], useFactory: (context) => probe(context, quirks) }],
    models: [{ compatible: [MSI_COMPATIBLE], useFactory: quirks.makeModel ?? ((context) => new ToyModel(context)) }],
  });
}

function probe(context: ProbeContext, quirks: ToyQuirks): object {
  const { node, irqs, devres } = context;
  const parent = irqs.requireDomain(node.interruptParent ?? node, 'wired');
  const registers = context.ioremap(0);
  const info: MsiDoorbellInfo = {
    globalDoorbell: registers.at(SETMSI.offset),
    sizeBytes: 4,
    prot: DOORBELL_PROT,
    irqRemapping: quirks.claimsRemapping ?? false,
  };
  const chip = toyChip(registers, info, quirks);
  (quirks.publish ?? publish)(context, info, () => {
    const domain = irqs.createDomain({
      name: node.path,
      node,
      busToken: 'msi-parent',
      parent,
      flags: quirks.claimsRemapping ? IRQ_DOMAIN_FLAG.ISOLATED_MSI : 0,
      ops: toyOps(chip, quirks),
      doorbells: () => [info],
      msiParent: { supportedFlags: MSI_FLAG.MULTI_PCI_MSI | MSI_FLAG.PCI_MSIX },
    });
    devres.add(() => irqs.removeDomain(domain));
  });
  return chip;
}

function publish({ doorbells, devres }: ProbeContext, info: MsiDoorbellInfo, makeDomain: () => void): void {
  const handle: ReturnType<DoorbellRegistry['register']> = doorbells.register(info);
  devres.add(() => doorbells.unregister(handle));
  makeDomain();
}

function toyChip(registers: MmioRegion, info: MsiDoorbellInfo, quirks: ToyQuirks): IrqChip {
  return {
    name: 'TOY',
    ...parentChip,
    mask: ({ hwirq }) => registers.write(ENABLE.offset + hwirq, 0, 1),
    unmask(data) {
      parentChip.unmask(data);
      registers.write(ENABLE.offset + data.hwirq, 1, 1);
    },
    composeMsiMsg({ hwirq }, msg) {
      msg.address = physAddr(registers.at(quirks.messageOffset ?? SETMSI.offset));
      msg.data = hwirq;
    },
    msiDoorbellInfo: () => info,
  };
}

function toyOps(chip: IrqChip, quirks: ToyQuirks): IrqDomainOps {
  const pool = quirks.pool?.() ?? new VectorPool();
  return {
    alloc(domain, virq, nr, { desc }) {
      if (!desc) throw new LinuxError('EINVAL', `${domain.name}: asked for an interrupt that is no MSI`);
      const first = (quirks.take ?? take)(pool, domain, virq, nr);
      for (let i = 0; i < nr; i++) domain.setInfo(virq + i, first + i, chip);
    },
    free(domain, virq, nr) {
      pool.give(domain.irqData(virq).hwirq, nr);
      domain.freeParent(virq, nr);
    },
  };
}

function take(pool: VectorPool, domain: IrqDomain, virq: number, nr: number): number {
  const first = pool.take(nr);
  try {
    domain.allocParent(virq, nr, { hwirq: TOY_INTIDS.first + first });
  } catch (error) {
    pool.give(first, nr);
    throw error;
  }
  return first;
}
