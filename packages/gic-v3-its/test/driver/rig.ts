// SPDX-License-Identifier: Apache-2.0
// A machine for the driver alone: fake ITSs and redistributors, a GIC driver that knows nothing but LPIs, and devices whose
// messages are written down.

import {
  CORE_API,
  LinuxError,
  MSI_FLAG,
  REDISTRIBUTORS,
  createHost,
  createMsiDomain,
  definePlugin,
  msiDomainAllocIrqs,
  msiDomainFreeIrqs,
  physAddr,
} from '@irqkit/core';
import type {
  Bus,
  Device,
  Firmware,
  FirmwareNode,
  Host,
  IrqData,
  IrqDomain,
  MmioRegion,
  MsiDesc,
  MsiMsg,
  MsiTranslation,
  Plugin,
  ProbeContext,
  Redistributors,
  Region,
} from '@irqkit/core';
import { gicV3Its } from '@irqkit/gic-v3-its';
import { FakeIts } from './fake-its.js';
import type { ItsShape } from './fake-its.js';
import { FakeMemory } from '@irqkit-test/fake-memory';
import { FakeRedistributor } from './fake-registers.js';
import type { Access } from './fake-registers.js';

export const GIC_PATH = '/intc@8000000';
export const ITS_BASE = 0x808_0000;
const REDISTRIBUTOR_BASE = 0x80a_0000;

export interface RigOptions {
  readonly nrCpus?: number;
  /** Processors that are offline at first. */
  readonly offline?: readonly number[];
  readonly idBits?: number;
  readonly hasLpis?: boolean;
  /** One ITS for each, 0x20000 bytes apart. */
  readonly its?: readonly ItsOptions[];
  readonly memoryBase?: number;
}

export interface ItsOptions extends ItsShape {
  readonly preIts?: readonly number[];
  readonly msiController?: boolean;
}

export class Rig {
  readonly memory: FakeMemory;
  readonly trace: Access[] = [];
  readonly redistributors: readonly FakeRedistributor[];
  readonly its: readonly FakeIts[];
  readonly gicNode: FirmwareNode;
  readonly itsNodes: readonly FirmwareNode[];
  /** LPIs that the GIC's domain gave out. */
  readonly lpis = new Set<number>();
  /** How many more LPIs the GIC's domain gives. */
  gicLeft = Infinity;
  readonly eois: number[] = [];
  readonly #options: RigOptions;
  readonly #online: Set<number>;
  readonly #hotplug = new Set<(cpu: number, online: boolean) => void>();
  readonly #msiDomains = new Map<IrqDomain, IrqDomain>();
  #current = 0;

  constructor(options: RigOptions = {}) {
    const { nrCpus = 2, offline = [], its = [{}] } = options;
    this.#options = options;
    this.memory = new FakeMemory(options.memoryBase);
    const cpus = Array.from({ length: nrCpus }, (_, cpu) => cpu);
    this.#online = new Set(cpus.filter((cpu) => !offline.includes(cpu)));
    const cpu = (): number => this.#current;
    this.redistributors = cpus.map(
      (n) => new FakeRedistributor(`gicr${n}`, REDISTRIBUTOR_BASE + n * 0x2_0000, 0x2_0000, this.trace, cpu),
    );
    const configTable = (): number => Number(this.redistributors[0].propbaser & 0xf_ffff_ffff_f000n);
    this.its = its.map(
      (shape, n) =>
        new FakeIts(ITS_BASE + n * 0x100_0000, { memory: this.memory, trace: this.trace, cpu, configTable }, shape),
    );
    this.gicNode = node({ path: GIC_PATH, compatible: ['test,gic'] });
    this.itsNodes = its.map((shape, n) =>
      node({
        path: `${GIC_PATH}/its@${this.its[n].base.toString(16)}`,
        compatible: ['arm,gic-v3-its'],
        interruptParent: this.gicNode,
        regs: [this.its[n]],
        properties: shape.msiController === false ? [] : ['msi-controller'],
        u32s: shape.preIts ? { 'socionext,synquacer-pre-its': shape.preIts } : {},
      }),
    );
  }

  start(plugins: readonly Plugin[] = []): Host {
    return createHost({ firmware: this.firmware, plugins: [gicV3Its, this.#gicPlugin, ...plugins], bus: this.bus });
  }

  get firmware(): Firmware {
    const nodes = [this.gicNode, ...this.itsNodes];
    return {
      root: node({ path: '/' }),
      nodes,
      find: (path) => nodes.find((each) => each.path === path),
      byPhandle: () => undefined,
      memory: [],
      cpus: [...this.redistributors.keys()],
    };
  }

  get bus(): Bus {
    const current = (): number => this.#current;
    return {
      memory: this.memory,
      map: (region) => this.#frame(region),
      unmap: () => undefined,
      cpus: {
        count: this.redistributors.length,
        get current() {
          return current();
        },
        mpidr: [...this.redistributors.keys()],
        runOn: (cpu, work) => {
          const before = this.#current;
          this.#current = cpu;
          try {
            return work();
          } finally {
            this.#current = before;
          }
        },
        irqAsserted: () => false,
        onIrq: () => () => undefined,
      },
    };
  }

  /** Takes a processor away or brings it back. */
  plug(cpu: number, online: boolean): void {
    if (online) this.#online.add(cpu);
    else this.#online.delete(cpu);
    for (const callback of this.#hotplug) callback(cpu, online);
  }

  get nrHotplugListeners(): number {
    return this.#hotplug.size;
  }

  /** A device of that DeviceID on an ITS. */
  device(host: Host, deviceId: number, options: DeviceOptions = {}): TestDevice {
    const parent = host.irqs.requireDomain(this.itsNodes[options.its ?? 0], 'msi-parent');
    const domain =
      this.#msiDomains.get(parent) ??
      createMsiDomain(host.irqs, parent, {
        name: 'test MSI',
        busToken: 'pci-msi',
        info: {
          flags: MSI_FLAG.PCI_MSIX | MSI_FLAG.MULTI_PCI_MSI,
          chip: { name: 'MSI' },
          hwirqOf: ({ device, index }) => (device as TestDevice).number * 4096 + index,
        },
      });
    this.#msiDomains.set(parent, domain);
    return new TestDevice(host, deviceId, domain, options);
  }

  #frame({ base }: Region): MmioRegion {
    const found = [...this.its, ...this.redistributors].find((frame) => frame.base === base);
    if (!found) throw new LinuxError('ENXIO', `nothing at ${base}`);
    return found;
  }

  get #gicPlugin(): Plugin {
    return definePlugin({
      name: 'test-gic',
      coreApi: CORE_API,
      irqChips: [{ compatible: ['test,gic'], useFactory: (context) => this.#driveGic(context) }],
    });
  }

  #driveGic(context: ProbeContext): object {
    const { lpis } = this;
    const domain = context.irqs.createDomain({
      name: GIC_PATH,
      node: context.node,
      busToken: 'wired',
      ops: {
        alloc: (own, virq, nr, { hwirq = -1 }) => {
          if (hwirq < 8192 || nr !== 1) throw new LinuxError('EINVAL', `${GIC_PATH}: not an LPI`);
          if (this.gicLeft-- <= 0) throw new LinuxError('ENOMEM', `${GIC_PATH}: told to fail`);
          lpis.add(hwirq);
          own.setInfo(virq, hwirq, { name: 'GICv3', eoi: (data: IrqData) => this.eois.push(data.hwirq) });
        },
        free(own, virq, nr) {
          for (let i = virq; i < virq + nr; i++) lpis.delete(own.irqData(i).hwirq);
        },
      },
    });
    context.devres.add(() => context.irqs.removeDomain(domain));
    const online = this.#online;
    const service: Redistributors = {
      byCpu: this.redistributors.map((frame, cpu) => ({ cpu, frame, processorNumber: cpu })),
      idBits: this.#options.idBits ?? 16,
      hasLpis: this.#options.hasLpis ?? true,
      get online() {
        return [...online].sort((a, b) => a - b);
      },
      onHotplug: (callback) => {
        this.#hotplug.add(callback);
        return () => void this.#hotplug.delete(callback);
      },
    };
    context.provide(REDISTRIBUTORS, service);
    return {};
  }
}

export interface DeviceOptions {
  /** Which ITS it is behind. */
  readonly its?: number;
  readonly aliasVectors?: number;
  readonly translation?: MsiTranslation;
}

export class TestDevice implements Device {
  static #nrMade = 0;
  readonly number = TestDevice.#nrMade++;
  readonly name: string;
  readonly node = undefined;
  readonly requesterId: number;
  readonly msiDeviceId: number;
  readonly msiAliasVectors: number | undefined;
  readonly msiDomain: IrqDomain;
  readonly iommuGroup = undefined;
  readonly msiTranslation: MsiTranslation | undefined;
  readonly msiDescs: MsiDesc[] = [];
  /** Every message written to it, by index. */
  readonly written: { readonly index: number; readonly address: number; readonly data: number }[] = [];
  readonly #host: Host;

  constructor(host: Host, deviceId: number, domain: IrqDomain, options: DeviceOptions) {
    this.name = `device ${deviceId.toString(16)}`;
    this.requesterId = deviceId;
    this.msiDeviceId = deviceId;
    this.msiDomain = domain;
    this.msiAliasVectors = options.aliasVectors;
    this.msiTranslation = options.translation;
    this.#host = host;
  }

  /** Enables `nr` vectors, as MSI-X; returns their virqs. */
  enable(nr: number): readonly number[] {
    const specs = Array.from({ length: nr }, (_, index) => ({ index, nrVectors: 1, hardware: this.#hardware(index) }));
    return msiDomainAllocIrqs(this.#host.irqs, this, specs).map(({ virq }) => virq);
  }

  /** Enables a block of `nr` vectors, as multi-MSI; returns the first virq. */
  enableBlock(nr: number): number {
    const [desc] = msiDomainAllocIrqs(this.#host.irqs, this, [
      { index: 0, nrVectors: nr, hardware: this.#hardware(0) },
    ]);
    return desc.virq;
  }

  disable(): void {
    msiDomainFreeIrqs(this.#host.irqs, this);
  }

  #hardware(index: number): MsiDesc['hardware'] {
    return { write: ({ address, data }: MsiMsg) => void this.written.push({ index, address, data }) };
  }
}

interface NodeFacts {
  readonly path: string;
  readonly compatible?: readonly string[];
  readonly interruptParent?: FirmwareNode;
  readonly regs?: readonly Region[];
  readonly properties?: readonly string[];
  readonly u32s?: Readonly<Record<string, readonly number[]>>;
  readonly mapId?: FirmwareNode['mapId'];
}

export function node(facts: NodeFacts): FirmwareNode {
  const properties = [...(facts.properties ?? []), ...Object.keys(facts.u32s ?? {})];
  const regs = (facts.regs ?? []).map(({ base, sizeBytes }) => ({ base: physAddr(base), sizeBytes }));
  return {
    path: facts.path,
    name: facts.path.slice(facts.path.lastIndexOf('/') + 1),
    parent: facts.interruptParent,
    children: [],
    compatible: facts.compatible ?? [],
    phandle: undefined,
    available: true,
    has: (property) => properties.includes(property),
    propertyNames: properties,
    bytes: () => undefined,
    u32s: (property) => facts.u32s?.[property],
    u32: (property) => facts.u32s?.[property]?.[0],
    strings: () => undefined,
    string: () => undefined,
    regs,
    reg: (index) => regs[index],
    ranges: [],
    dmaRanges: [],
    interrupts: [],
    interruptParent: facts.interruptParent,
    mapInterrupt: () => undefined,
    mapId: facts.mapId ?? (() => undefined),
    iommus: [],
  };
}
