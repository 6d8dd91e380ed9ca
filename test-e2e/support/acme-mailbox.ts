// SPDX-License-Identifier: Apache-2.0
// A third party's MSI controller, on irqkit's published names alone. "acme,msi-mailbox" has a slot for each message: the driver
// writes who owns it, a device rings it by writing its number to RING, and a ring by another than the owner is lost.

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
  IrqDomain,
  IrqDomainOps,
  MmioModel,
  Model,
  ModelContext,
  ProbeContext,
  Requester,
  State,
} from '@irqkit/core';

const NR_SLOTS = 64;
const FIRST_SPI = 32;
const RING = 0x10;
/** OWNER of slot i: bit 31 says that there is one, the rest is its id. */
const owner = (slot: number): number => 0x100 + 4 * slot;
const OWNED = 0x8000_0000;

class AcmeModel implements Model, MmioModel {
  readonly frames = [this];
  readonly #context: ModelContext;
  #owners = new Uint32Array(NR_SLOTS);

  constructor(context: ModelContext) {
    this.#context = context;
  }

  read(offset: number): number {
    return this.#owners[(offset - owner(0)) / 4] ?? 0;
  }

  write(offset: number, value: number, _size: AccessSize, by: Requester): void {
    if (offset === RING) this.#ring(value, by);
    else if (by.kind === 'cpu' && offset >= owner(0)) this.#owners[(offset - owner(0)) / 4] = value;
  }

  #ring(slot: number, by: Requester): void {
    const { interruptParent, log, node } = this.#context;
    if (this.#owners[slot] !== OWNED + by.deviceId)
      log.guest('slot %d rung by id %d, not its owner', slot, by.deviceId);
    else interruptParent.sink.setPending((node.u32('acme,first-intid') ?? 0) + slot);
  }

  save(): State {
    return { version: 1, owners: this.#owners.slice() };
  }

  restore({ owners }: State): void {
    this.#owners = (owners as Uint32Array).slice();
  }
}

class AcmeDriver implements IrqDomainOps {
  readonly #context: ProbeContext;
  readonly #registers: ReturnType<ProbeContext['ioremap']>;
  readonly #taken = new Set<number>();
  readonly #chip: IrqChip;

  constructor(context: ProbeContext) {
    const { node, irqs, doorbells, devres } = context;
    if (!node.interruptParent) throw new LinuxError('ENODEV', `${node.path}: no interrupt parent`);
    const parent = irqs.requireDomain(node.interruptParent, 'wired');
    this.#context = context;
    this.#registers = context.ioremap(0);
    const { info } = this.#registerDoorbell(doorbells, devres);
    this.#chip = {
      ...parentChip,
      name: 'ACME',
      composeMsiMsg: ({ hwirq }, msg) => {
        msg.address = this.#registers.at(RING);
        msg.data = hwirq;
      },
      msiDoorbellInfo: () => info,
    };
    const domain = irqs.createDomain({
      name: node.path,
      node,
      busToken: 'msi-parent',
      parent,
      ops: this,
      flags: IRQ_DOMAIN_FLAG.ISOLATED_MSI,
      doorbells: () => [info],
      msiParent: { supportedFlags: MSI_FLAG.PCI_MSIX },
    });
    devres.add(() => irqs.removeDomain(domain));
  }

  alloc(domain: IrqDomain, virq: number, _nr: number, { device }: Parameters<IrqDomainOps['alloc']>[3]): void {
    const { node } = this.#context;
    if (!device) throw new LinuxError('EINVAL', `${node.path}: asked for an interrupt that is no MSI`);
    const slot = Array.from({ length: NR_SLOTS }, (_, i) => i).find((i) => !this.#taken.has(i));
    if (slot === undefined) throw new LinuxError('ENOSPC', `${node.path}: no slot is free`);
    const spi = (node.u32('acme,first-intid') ?? 0) + slot - FIRST_SPI;
    domain.allocParent(virq, 1, { spec: { controller: node.interruptParent!, args: [0, spi, IRQ_TYPE.EDGE_RISING] } });
    domain.setInfo(virq, slot, this.#chip);
    parentChip.setType(domain.irqData(virq), IRQ_TYPE.EDGE_RISING);
    this.#taken.add(slot);
    this.#registers.write(owner(slot), OWNED + device.msiDeviceId, 4);
  }

  free(domain: IrqDomain, virq: number): void {
    const { hwirq } = domain.irqData(virq);
    this.#registers.write(owner(hwirq), 0, 4);
    this.#taken.delete(hwirq);
    domain.freeParent(virq, 1);
  }

  #registerDoorbell(doorbells: ProbeContext['doorbells'], devres: ProbeContext['devres']) {
    const globalDoorbell = this.#registers.at(RING);
    const handle = doorbells.register({ globalDoorbell, sizeBytes: 4, prot: DOORBELL_PROT, irqRemapping: true });
    devres.add(() => doorbells.unregister(handle));
    return handle;
  }
}

const compatible = ['acme,msi-mailbox'];

export const acmeMailbox = definePlugin({
  name: 'acme-mailbox',
  coreApi: CORE_API,
  irqChips: [{ compatible, useFactory: (context) => new AcmeDriver(context) }],
  models: [{ compatible, useFactory: (context) => new AcmeModel(context) }],
});
