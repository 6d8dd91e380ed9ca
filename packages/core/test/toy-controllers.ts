// SPDX-License-Identifier: Apache-2.0
// A root controller and an MSI controller on it, which write down what is asked of them.

import { DOORBELL_PROT, IrqCore, LinuxError, MSI_FLAG, createMsiDomain, parentChip, physAddr } from '@irqkit/core';
import type { Device, IrqChip, IrqData, IrqDomain, IrqDomainOps, MsiDesc, MsiDoorbellInfo, MsiMsg } from '@irqkit/core';
import { StubCpus, stubNode } from './stub-machine.js';

export interface Toy {
  readonly cpus: StubCpus;
  readonly irqs: IrqCore;
  readonly root: IrqDomain;
  /** What was asked of the chips, in order: `mask 3`, `write 0x1040=3` … */
  readonly journal: string[];
  readonly warnings: string[];
}

export const ROOT_NODE = stubNode({ path: '/intc@1000' });
export const MSI_NODE = stubNode({ path: '/msi@2000' });

/** A root domain of 32 interrupts whose chip journals everything. */
export function toyRoot(nrCpus = 2): Toy {
  const cpus = new StubCpus(nrCpus);
  const journal: string[] = [];
  const warnings: string[] = [];
  const irqs = new IrqCore(cpus, { warn: (message) => void warnings.push(message), warnings }, () => false);
  const note = (what: string) => (data: IrqData) => void journal.push(`${what} ${data.hwirq}`);
  const chip: IrqChip = {
    name: 'ROOT',
    mask: note('mask'),
    unmask: note('unmask'),
    ack: note('ack'),
    eoi: note('eoi'),
    retrigger: note('retrigger'),
    setType(data, type) {
      if (type === 2) throw new LinuxError('EINVAL', 'no falling edges');
      journal.push(`type ${data.hwirq} ${type}`);
    },
    setAffinity(data, wanted) {
      journal.push(`affinity ${data.hwirq} ${wanted.join(',')}`);
      data.common.effectiveAffinity = [wanted[0]];
    },
    ipiSend: (data, targets) => void journal.push(`ipi ${data.hwirq} ${targets.join(',')}`),
  };
  const ops: IrqDomainOps = {
    translate: (_domain, spec) => ({ hwirq: spec.args[0], type: spec.args[1] }),
    alloc(domain, virq, nr, info) {
      const hwirq = info.spec ? info.spec.args[0] : (info.hwirq ?? 0);
      for (let i = 0; i < nr; i++) domain.setInfo(virq + i, hwirq + i, chip);
    },
    free: () => undefined,
  };
  const root = irqs.createDomain({ name: 'root', node: ROOT_NODE, busToken: 'wired', ops, size: 32 });
  return { cpus, irqs, root, journal, warnings };
}

export const TOY_DOORBELL: MsiDoorbellInfo = {
  globalDoorbell: physAddr(0x2040),
  sizeBytes: 4,
  prot: DOORBELL_PROT,
  irqRemapping: false,
};

export interface ToyMsi extends Toy {
  readonly parent: IrqDomain;
  /** Hwirqs in use at the controller. */
  readonly used: Set<number>;
}

export interface ToyMsiOptions {
  readonly flags?: number;
  readonly doorbell?: MsiDoorbellInfo;
  readonly capacity?: number;
  readonly compose?: (data: IrqData, msg: MsiMsg) => void;
}

/** An MSI controller whose vector n is the root's interrupt n, with room for `capacity` of them. */
export function toyMsi(options: ToyMsiOptions = {}): ToyMsi {
  const toy = toyRoot();
  const used = new Set<number>();
  const doorbell = options.doorbell ?? TOY_DOORBELL;
  const chip: IrqChip = {
    name: 'TOY-MSI',
    ...parentChip,
    composeMsiMsg:
      options.compose ??
      ((data, msg) => {
        msg.address = physAddr(0x2040);
        msg.data = data.hwirq;
      }),
    msiDoorbellInfo: () => doorbell,
  };
  const ops: IrqDomainOps = {
    alloc(domain, virq, nr) {
      let first = 0;
      while (Array.from({ length: nr }, (_, i) => first + i).some((n) => used.has(n))) first += nr;
      if (first + nr > (options.capacity ?? 32)) throw new LinuxError('ENOSPC', '/msi@2000: no room');
      domain.allocParent(virq, nr, { hwirq: first });
      for (let i = 0; i < nr; i++) {
        used.add(first + i);
        domain.setInfo(virq + i, first + i, chip);
      }
    },
    free(domain, virq, nr) {
      for (let i = 0; i < nr; i++) used.delete(domain.irqData(virq + i).hwirq);
      domain.freeParent(virq, nr);
    },
  };
  const parent = toy.irqs.createDomain({
    name: 'toy-msi',
    node: MSI_NODE,
    busToken: 'msi-parent',
    ops,
    parent: toy.root,
    flags: options.flags,
    doorbells: () => [doorbell],
    msiParent: { supportedFlags: MSI_FLAG.MULTI_PCI_MSI },
  });
  return { ...toy, parent, used };
}

/** A bus-level MSI domain on the toy controller. */
export function toyBusDomain({ irqs, parent }: ToyMsi): IrqDomain {
  return createMsiDomain(irqs, parent, {
    name: 'toy-bus',
    busToken: 'pci-msi',
    info: {
      flags: MSI_FLAG.MULTI_PCI_MSI | MSI_FLAG.PCI_MSIX,
      chip: { name: 'BUS-MSI' },
      hwirqOf: ({ device, index }) => device.requesterId * 64 + index,
    },
  });
}

export function toyDevice(facts: Partial<Device> & { readonly name: string }): Device {
  const msiDescs: MsiDesc[] = [];
  return {
    node: undefined,
    requesterId: 1,
    msiDeviceId: 1,
    msiDomain: undefined,
    iommuGroup: undefined,
    msiTranslation: undefined,
    msiDescs,
    ...facts,
  };
}

/** Specs of `nr` vectors that journal what is written to the device. */
export function vectors({ journal }: Toy, nr: number, nrVectors = 1) {
  return Array.from({ length: nr }, (_, index) => ({
    index,
    nrVectors,
    hardware: {
      write: (msg: MsiMsg) => void journal.push(`write ${index} 0x${msg.address.toString(16)}=${msg.data}`),
      setMasked: (offset: number, masked: boolean) =>
        void journal.push(`${masked ? 'block' : 'open'} ${index}+${offset}`),
    },
  }));
}
