// SPDX-License-Identifier: Apache-2.0
// A machine for the driver alone: a fake SMMU, DMA memory, an interrupt controller with wires, and an IOMMU framework that keeps
// what is registered.

import { Devres, IrqCore, LinuxError } from '@irqkit/core';
import type {
  Device,
  FirmwareNode,
  IommuDomainOps,
  IommuFault,
  IommuOps,
  IotlbGather,
  Iova,
  IrqDomain,
  MappedId,
  ProbeContext,
} from '@irqkit/core';
import { SmmuV2Driver } from '@irqkit/smmu-v2';
import { FakeMemory } from '@irqkit-test/fake-memory';
import { FakeSmmu, MMU_500 } from './fake-smmu.js';
import type { FakeFacts } from './fake-smmu.js';

export const PATH = '/iommu@2b400000';
/** The first input of the interrupt controller. */
const FIRST_INPUT = 32;

export interface RigOptions {
  readonly compatible?: readonly string[];
  readonly facts?: FakeFacts;
  /** Undefined: no such property. */
  readonly globalInterrupts?: number | null;
  readonly nrInterrupts?: number;
  readonly properties?: readonly string[];
  readonly cells?: Readonly<Record<string, number>>;
  /** Whether the wires' controller is driven. */
  readonly wired?: 'driven' | 'not yet' | 'never';
  readonly sizeBytes?: number;
  /** True: every interrupt of the node is one wire. */
  readonly oneWire?: boolean;
  /** Of a host that other SMMUs are in too. */
  readonly iommus?: object;
}

export class Rig {
  readonly memory = new FakeMemory();
  readonly smmu: FakeSmmu;
  readonly warnings: string[] = [];
  readonly faults: IommuFault[] = [];
  readonly irqs: IrqCore;
  readonly node: FirmwareNode;
  readonly devres = new Devres();
  registered: IommuOps | undefined;
  nrMapped = 0;
  /** How many more interrupts there are. */
  irqsLeft = Infinity;
  readonly #iommus: object;
  readonly #wired: IrqDomain | undefined;
  readonly #globalInterrupts: number;

  constructor(options: RigOptions = {}) {
    const { compatible = ['arm,mmu-500'], properties = ['dma-coherent'], wired = 'driven' } = options;
    const { globalInterrupts = 1, nrInterrupts = 9 } = options;
    this.#globalInterrupts = globalInterrupts ?? 1;
    this.#iommus = options.iommus ?? {};
    this.smmu = new FakeSmmu(options.facts ?? MMU_500, 0x2b40_0000, options.sizeBytes);
    const cpus = {
      count: 1,
      current: 0,
      mpidr: [0],
      runOn: <T>(_cpu: number, work: () => T): T => work(),
      irqAsserted: () => false,
      onIrq: () => () => undefined,
    };
    const gic = { path: '/intc@8000000' } as FirmwareNode;
    this.irqs = new IrqCore(cpus, this.#log, (each) => each === gic && wired === 'not yet');
    const numbers: Readonly<Record<string, number | null>> = {
      '#global-interrupts': globalInterrupts,
      ...options.cells,
    };
    this.node = {
      path: PATH,
      parent: undefined,
      compatible,
      has: (property: string) => properties.includes(property) || property in numbers,
      u32: (property: string) => numbers[property] ?? undefined,
      regs: [this.smmu],
      reg: () => this.smmu,
      interrupts: Array.from({ length: nrInterrupts }, (_, n) => ({
        controller: gic,
        args: [FIRST_INPUT + (options.oneWire ? 0 : n), 4],
      })),
    } as unknown as FirmwareNode;
    if (wired === 'driven') this.#wired = this.#driveWires(gic);
    this.smmu.onFault = (bank) => void this.raise(bank === undefined ? 0 : this.#globalInterrupts + bank);
  }

  /** Probes, or throws what the driver throws, with everything released. */
  start(): { readonly driver: SmmuV2Driver; readonly ops: IommuOps } {
    try {
      const driver = new SmmuV2Driver(this.context);
      if (!this.registered) throw new Error('nothing was registered');
      return { driver, ops: this.registered };
    } catch (error) {
      this.devres.releaseAll();
      throw error;
    }
  }

  /** Serves the n-th interrupt of the node; false where it is not mapped. */
  raise(n: number): boolean {
    return this.#wired !== undefined && this.irqs.handleDomainIrq(this.#wired, FIRST_INPUT + n);
  }

  /** How many interrupts are mapped. */
  get nrIrqs(): number {
    return this.irqs.all.length;
  }

  /** Ids as `iommus` entries of one cell give them, or of two. */
  ids(...streams: readonly (number | readonly [id: number, mask: number])[]): readonly MappedId[] {
    return streams.map((stream) => {
      const args = typeof stream === 'number' ? [stream] : stream;
      return { controller: this.node, id: args[0], args };
    });
  }

  /** A device of these streams, which the driver has taken in. */
  device(ops: IommuOps, name: string, ...streams: readonly (number | readonly [number, number])[]): Device {
    const device = testDevice(name);
    ops.probeDevice(device, this.ids(...streams));
    return device;
  }

  /** What was written while `work` ran: offset and value. */
  written(work: () => void): readonly string[] {
    const from = this.smmu.trace.length;
    work();
    return this.smmu.trace
      .slice(from)
      .filter(({ op }) => op === 'w')
      .map(({ offset, value }) => `${offset.toString(16)}=${value.toString(16)}`);
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
    const iommus = Object.assign(this.#iommus, {
      register: (_node: FirmwareNode, ops: IommuOps) => {
        this.registered = ops;
        return () => (this.registered = undefined);
      },
      reportFault: (fault: IommuFault) => void this.faults.push(fault),
    });
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
        alloc: (domain, virq, _nr, { spec, hwirq = 0 }) => {
          if (this.irqsLeft-- <= 0) throw new LinuxError('ENOSPC', 'told to fail');
          domain.setInfo(virq, spec?.args[0] ?? hwirq, {
            name: 'GIC',
            setAffinity: (data, [cpu]) => void (data.common.effectiveAffinity = [cpu]),
          });
        },
        free: () => undefined,
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
