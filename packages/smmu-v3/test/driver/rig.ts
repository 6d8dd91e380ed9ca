// SPDX-License-Identifier: Apache-2.0
// A machine for the driver alone: a fake SMMU, DMA memory, an interrupt controller with wires and one with doorbells, and an
// IOMMU framework that keeps what is registered.

import { Devres, IrqCore, LinuxError, MSI_FLAG, parentChip, physAddr } from '@irqkit/core';
import type {
  Device,
  FirmwareNode,
  InterruptSpec,
  IommuDomainOps,
  IommuFault,
  IommuOps,
  IotlbGather,
  Iova,
  IrqDomain,
  MappedId,
  ProbeContext,
} from '@irqkit/core';
import { SmmuV3Driver } from '@irqkit/smmu-v3';
import { FakeMemory } from '@irqkit-test/fake-memory';
import { FakeSmmu, QEMU_IDR } from './fake-smmu.js';

export const PATH = '/smmuv3@9050000';
/** Inputs of the interrupt controller, by name, as QEMU's `virt` wires them. */
export const WIRES = { eventq: 74, priq: 75, 'cmdq-sync': 76, gerror: 77 } as const;
export const DOORBELL = 0x1_0809_0040;

export interface RigOptions {
  /** ID registers over those of QEMU 7.2. */
  readonly idr?: Readonly<Record<number, number>>;
  readonly properties?: readonly string[];
  /** Names in `interrupt-names`; the inputs count from 74. */
  readonly interruptNames?: readonly string[];
  /** True: the node has an msi-parent. */
  readonly msiParent?: boolean;
  /** Whether the wires' controller is driven. */
  readonly wired?: 'driven' | 'not yet' | 'never';
  readonly cells?: number;
  readonly sizeBytes?: number;
}

export class Rig {
  readonly memory = new FakeMemory();
  readonly smmu: FakeSmmu;
  readonly warnings: string[] = [];
  readonly irqs: IrqCore;
  readonly node: FirmwareNode;
  readonly devres = new Devres();
  /** How many more MSIs there are. */
  msisLeft = Infinity;
  registered: IommuOps | undefined;
  /** What the framework was told of stopped accesses. */
  readonly reported: IommuFault[] = [];
  nrMapped = 0;
  readonly #pending: string[] = [];
  readonly #wired: IrqDomain | undefined;

  constructor(options: RigOptions = {}) {
    const { properties = ['dma-coherent'], interruptNames = Object.keys(WIRES), wired = 'driven' } = options;
    this.smmu = new FakeSmmu(this.memory, { ...QEMU_IDR, ...options.idr }, 0x905_0000, options.sizeBytes);
    const cpus = {
      count: 1,
      current: 0,
      mpidr: [0],
      runOn: <T>(_cpu: number, work: () => T): T => work(),
      irqAsserted: () => false,
      onIrq: () => () => undefined,
    };
    const gic = node('/intc@8000000');
    const its = node('/intc@8000000/its@8080000');
    this.irqs = new IrqCore(cpus, this.#log, (each) => each === gic && wired === 'not yet');
    this.node = node(PATH, {
      regs: [this.smmu],
      properties,
      interruptNames,
      interrupts: interruptNames.map((_, n) => ({ controller: gic, args: [74 + n, 1] })),
      msi: options.msiParent ? { controller: its, id: 5 } : undefined,
    });
    if (wired === 'driven') this.#wired = this.#driveWires(gic);
    if (wired === 'driven') this.#driveMsis(its);
    this.smmu.onError = () => void this.raise('gerror');
    this.smmu.onEvent = () => void this.raise('eventq');
  }

  /** Probes, or throws what the driver throws, with everything released. */
  start(): { readonly driver: SmmuV3Driver; readonly ops: IommuOps } {
    try {
      const driver = new SmmuV3Driver(this.context);
      if (!this.registered) throw new Error('nothing was registered');
      return { driver, ops: this.registered };
    } catch (error) {
      this.devres.releaseAll();
      throw error;
    }
  }

  /** Serves an interrupt by its wire's name, after the one that is being served; false where it is not mapped. */
  raise(name: string): boolean {
    this.#pending.push(name);
    if (this.#pending.length > 1 || !this.#wired) return true;
    let mapped = true;
    for (; this.#pending.length > 0; this.#pending.shift()) {
      const at = this.node.strings('interrupt-names')?.indexOf(this.#pending[0]) ?? -1;
      mapped = this.irqs.handleDomainIrq(this.#wired, 74 + at) && mapped;
    }
    return mapped;
  }

  /** How many interrupts are mapped. */
  get nrIrqs(): number {
    return this.irqs.all.length;
  }

  ids(...sids: readonly number[]): readonly MappedId[] {
    return sids.map((id) => ({ controller: this.node, id }));
  }

  /** A device of these StreamIDs, which the driver has taken in. */
  device(ops: IommuOps, name: string, ...sids: readonly number[]): Device {
    const device = testDevice(name);
    ops.probeDevice(device, this.ids(...sids));
    return device;
  }

  /** Opcodes and both doublewords of what was consumed since `from`. */
  commandsSince(from: number): readonly string[] {
    return this.smmu.commands.slice(from).map(({ lo, hi }) => `${lo.toString(16)}:${hi.toString(16)}`);
  }

  get #log() {
    const { warnings } = this;
    return { warnings, warn: (message: string) => void warnings.push(message) };
  }

  get context(): ProbeContext {
    const bus: ProbeContext['bus'] = {
      memory: this.memory,
      cpus: this.irqs.cpus,
      map: () => {
        this.nrMapped++;
        return this.smmu;
      },
      unmap: () => void this.nrMapped--,
    };
    const iommus = {
      register: (_node: FirmwareNode, ops: IommuOps) => {
        this.registered = ops;
        return () => (this.registered = undefined);
      },
      reportFault: (fault: IommuFault) => void this.reported.push(fault),
    };
    const { node, devres, irqs } = this;
    return {
      ...({ node, bus, devres, irqs, iommus, log: this.#log } as unknown as ProbeContext),
      ioremap: (index) => {
        const region = bus.map(node.reg(index));
        devres.add(() => bus.unmap(region));
        return region;
      },
    };
  }

  #driveWires(gic: FirmwareNode): IrqDomain {
    return this.irqs.createDomain({
      name: 'gic',
      node: gic,
      busToken: 'wired',
      ops: {
        translate: (_domain, { args }) => ({ hwirq: args[0], type: args[1] }),
        alloc: (domain, virq, _nr, { spec, hwirq = 0 }) =>
          domain.setInfo(virq, spec?.args[0] ?? hwirq, {
            name: 'GIC',
            setAffinity: (data, [cpu]) => void (data.common.effectiveAffinity = [cpu]),
          }),
        free: () => undefined,
      },
    });
  }

  #driveMsis(its: FirmwareNode): void {
    const { irqs } = this;
    let next = 8192;
    irqs.createDomain({
      name: 'its',
      node: its,
      busToken: 'msi-parent',
      parent: this.#wired,
      msiParent: { supportedFlags: MSI_FLAG.MULTI_PCI_MSI },
      ops: {
        alloc: (domain, virq) => {
          if (this.msisLeft-- <= 0) throw new LinuxError('ENOSPC', 'told to fail');
          const hwirq = next++;
          domain.allocParent(virq, 1, { hwirq });
          domain.setInfo(virq, hwirq, {
            name: 'ITS',
            ...parentChip,
            composeMsiMsg: (data, msg) => {
              msg.address = physAddr(DOORBELL);
              msg.data = data.hwirq - 8192;
            },
          });
        },
        free: (domain, virq, nr) => domain.freeParent(virq, nr),
      },
    });
  }
}

/** As core's gather. */
export class TestGather implements IotlbGather {
  first = Number.MAX_SAFE_INTEGER;
  last = 0;
  pageBytes = 0;

  constructor(readonly queued = false) {}

  add(iova: Iova, sizeBytes: number, pageBytes: number): boolean {
    if (this.pageBytes !== 0 && (this.pageBytes !== pageBytes || iova !== this.last + 1)) return false;
    if (this.pageBytes === 0) this.first = iova;
    this.last = iova + sizeBytes - 1;
    this.pageBytes = pageBytes;
    return true;
  }

  reset(): void {
    this.first = Number.MAX_SAFE_INTEGER;
    this.last = 0;
    this.pageBytes = 0;
  }
}

/** Unmaps and invalidates, as the framework does in strict mode. */
export function unmap(domain: IommuDomainOps, iova: number, pageBytes: number, count: number): number {
  const gather = new TestGather();
  const unmapped = domain.unmapPages(iova as Iova, pageBytes, count, gather);
  domain.iotlbSync(gather);
  return unmapped;
}

export function testDevice(name: string): Device {
  return {
    name,
    node: undefined,
    requesterId: 0,
    msiDeviceId: 0,
    msiDomain: undefined,
    iommuGroup: undefined,
    msiTranslation: undefined,
    msiDescs: [],
  };
}

interface NodeFacts {
  readonly regs?: readonly FakeSmmu[];
  readonly properties?: readonly string[];
  readonly interruptNames?: readonly string[];
  readonly interrupts?: readonly InterruptSpec[];
  readonly msi?: MappedId;
}

function node(path: string, facts: NodeFacts = {}): FirmwareNode {
  const { regs = [], properties = [], interrupts = [], interruptNames = [] } = facts;
  return {
    path,
    parent: undefined,
    has: (property: string) => properties.includes(property),
    strings: (property: string) => (property === 'interrupt-names' ? interruptNames : undefined),
    regs,
    reg: (index: number) => regs[index],
    interrupts,
    iommus: [],
    mapId: (kind: string) => (kind === 'msi' ? facts.msi : undefined),
  } as unknown as FirmwareNode;
}
