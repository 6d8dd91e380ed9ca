// SPDX-License-Identifier: Apache-2.0
// A third party's MSI controller with a doorbell for each processor, on irqkit's published names alone. "acme,msi-doors" has a page
// for each processor with its door in it, and a row of SPIs: a number written to a door raises the SPI of that number on the
// processor of the door.

import {
  CORE_API,
  DOORBELL_PROT,
  IRQ_DOMAIN_FLAG,
  IRQ_TYPE,
  LinuxError,
  MSI_FLAG,
  definePlugin,
  parentChip,
} from '@irqkit/core';
import type {
  AccessSize,
  IrqChip,
  IrqData,
  IrqDomain,
  IrqDomainOps,
  MmioModel,
  Model,
  ModelContext,
  MsiDoorbellInfo,
  ProbeContext,
  Requester,
  State,
} from '@irqkit/core';

const FIRST_SPI = 32;
const NR_SLOTS = 64;
const DOOR = 0x24;
const PAGE = 0x1000;

/** Where processor `cpu` has its door, in a controller at `base`. */
export function doorOf(base: number, cpu: number): number {
  return base + cpu * PAGE + DOOR;
}

/** `acme,first-intid`: of slot 0. */
const firstIntid = ({ node }: ModelContext | ProbeContext): number => node.u32('acme,first-intid') ?? FIRST_SPI;

class DoorsModel implements Model, MmioModel {
  readonly frames = [this];
  readonly #context: ModelContext;

  constructor(context: ModelContext) {
    this.#context = context;
  }

  read(): number {
    return 0;
  }

  write(offset: number, slot: number, _size: AccessSize, _by: Requester): void {
    const { interruptParent, log } = this.#context;
    if (offset % PAGE === DOOR && slot < NR_SLOTS) interruptParent.sink.setPending(firstIntid(this.#context) + slot);
    else log.guest('no door at offset 0x%x for %d', offset, slot);
  }

  save(): State {
    return { version: 1 };
  }

  restore(): void {
    return;
  }
}

class DoorsDriver implements IrqDomainOps {
  readonly #context: ProbeContext;
  readonly #taken = new Set<number>();
  readonly #info: MsiDoorbellInfo;
  readonly #chip: IrqChip;

  constructor(context: ProbeContext) {
    const { node, bus, irqs, doorbells, devres } = context;
    if (!node.interruptParent) throw new LinuxError('ENODEV', `${node.path}: no interrupt parent`);
    const parent = irqs.requireDomain(node.interruptParent, 'wired');
    const registers = context.ioremap(0);
    const percpuDoorbells = Array.from({ length: bus.cpus.count }, (_, cpu) => registers.at(doorOf(0, cpu)));
    const handle = doorbells.register({ percpuDoorbells, sizeBytes: 4, prot: DOORBELL_PROT, irqRemapping: true });
    devres.add(() => doorbells.unregister(handle));
    this.#context = context;
    this.#info = handle.info;
    this.#chip = {
      ...parentChip,
      name: 'DOORS',
      composeMsiMsg: ({ hwirq, common }, msg) => {
        msg.address = percpuDoorbells[common.effectiveAffinity[0]];
        msg.data = hwirq;
      },
      msiDoorbellInfo: () => this.#info,
    };
    const domain = irqs.createDomain({
      name: node.path,
      node,
      busToken: 'msi-parent',
      parent,
      ops: this,
      flags: IRQ_DOMAIN_FLAG.ISOLATED_MSI,
      doorbells: () => [this.#info],
      msiParent: { supportedFlags: MSI_FLAG.PCI_MSIX },
    });
    devres.add(() => irqs.removeDomain(domain));
  }

  alloc(domain: IrqDomain, virq: number, _nr: number): void {
    const { node } = this.#context;
    const slot = Array.from({ length: NR_SLOTS }, (_, i) => i).find((i) => !this.#taken.has(i));
    if (slot === undefined) throw new LinuxError('ENOSPC', `${node.path}: no slot is free`);
    const spi = firstIntid(this.#context) + slot - FIRST_SPI;
    domain.allocParent(virq, 1, { spec: { controller: node.interruptParent!, args: [0, spi, IRQ_TYPE.EDGE_RISING] } });
    domain.setInfo(virq, slot, this.#chip);
    parentChip.setType(domain.irqData(virq), IRQ_TYPE.EDGE_RISING);
    this.#taken.add(slot);
  }

  free(domain: IrqDomain, virq: number): void {
    this.#taken.delete(domain.irqData(virq).hwirq);
    domain.freeParent(virq, 1);
  }

  activate(_domain: IrqDomain, data: IrqData): void {
    parentChip.setAffinity(data, data.common.affinity);
  }
}

const compatible = ['acme,msi-doors'];

export const acmeDoors = definePlugin({
  name: 'acme-doors',
  coreApi: CORE_API,
  irqChips: [{ compatible, useFactory: (context) => new DoorsDriver(context) }],
  models: [{ compatible, useFactory: (context) => new DoorsModel(context) }],
});
