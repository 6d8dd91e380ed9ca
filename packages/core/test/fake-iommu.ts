// SPDX-License-Identifier: Apache-2.0
// An IOMMU whose page tables are a Map, which writes down what is asked of it and fails at a chosen step.

import { IommuCore, LinuxError, iova } from '@irqkit/core';
import type {
  Device,
  FirmwareNode,
  IommuDomainOps,
  IommuDomainType,
  IommuOps,
  IommuResvRegion,
  IommuSettings,
  Iova,
  PhysAddr,
} from '@irqkit/core';
import { stubFirmware, stubNode } from './stub-machine.js';
import { toyDevice } from './toy-controllers.js';

const PAGE = 0x1000;
const LAST = 2 ** 48 - 1;

export class FakeDomain implements IommuDomainOps {
  readonly type: IommuDomainType;
  readonly pageSizes: readonly number[];
  readonly aperture = { first: iova(0), last: iova(LAST) };
  /** Physical addresses and protection by IOVA, page by page. */
  readonly pages = new Map<number, { readonly pa: number; readonly prot: number }>();
  readonly #iommu: FakeIommu;

  constructor(iommu: FakeIommu, type: IommuDomainType) {
    this.#iommu = iommu;
    this.type = type;
    this.pageSizes = type === 'identity' || type === 'blocked' ? [] : [PAGE];
  }

  mapPages(at: Iova, pa: PhysAddr, pageBytes: number, count: number, prot: number): void {
    this.#iommu.step(`map ${at.toString(16)}`);
    for (let i = 0; i < count; i++) {
      if (this.pages.has(at + i * pageBytes)) throw new LinuxError('EEXIST', 'mapped');
      this.pages.set(at + i * pageBytes, { pa: pa + i * pageBytes, prot });
    }
  }

  unmapPages(at: Iova, pageBytes: number, count: number): number {
    let done = 0;
    while (done < count && this.pages.delete(at + done * pageBytes)) done++;
    return done * pageBytes;
  }

  iovaToPhys(at: Iova): PhysAddr | undefined {
    const page = this.pages.get(at - (at % PAGE));
    return page && ((page.pa + (at % PAGE)) as PhysAddr);
  }

  flushIotlbAll(): void {
    this.#iommu.journal.push('flush all');
  }

  iotlbSync(): void {
    this.#iommu.journal.push('sync');
  }

  attach(device: Device): void {
    this.#iommu.step(`attach ${device.name} ${this.type}`);
    this.#iommu.attached.set(device, this);
  }

  free(): void {
    for (const domain of this.#iommu.attached.values()) if (domain === this) throw new Error('freed while attached');
    if (!this.#iommu.domains.delete(this)) throw new Error('freed twice');
  }
}

export interface FakeIommuOptions {
  readonly path?: string;
  readonly translatesMsi?: boolean;
  readonly isolatesMsi?: boolean;
  readonly withoutIdentity?: boolean;
  readonly resvRegions?: (device: Device) => readonly IommuResvRegion[];
  readonly deviceGroup?: IommuOps['deviceGroup'];
}

export class FakeIommu implements IommuOps {
  readonly node: FirmwareNode;
  readonly translatesMsi: boolean;
  readonly isolatesMsi?: boolean;
  readonly resvRegions: (device: Device) => readonly IommuResvRegion[];
  readonly deviceGroup: NonNullable<IommuOps['deviceGroup']>;
  readonly journal: string[] = [];
  readonly devices = new Set<Device>();
  readonly domains = new Set<FakeDomain>();
  readonly attached = new Map<Device, FakeDomain>();
  /** The step that fails from now on, counted from 0. */
  failAt = Infinity;
  #steps = 0;
  readonly #withoutIdentity: boolean;

  constructor(options: FakeIommuOptions = {}) {
    this.node = stubNode({ path: options.path ?? '/iommu@9000' });
    this.translatesMsi = options.translatesMsi ?? true;
    this.isolatesMsi = options.isolatesMsi;
    this.resvRegions = options.resvRegions ?? (() => []);
    this.deviceGroup = options.deviceGroup ?? (() => undefined);
    this.#withoutIdentity = options.withoutIdentity ?? false;
  }

  probeDevice(device: Device): void {
    this.step(`probe ${device.name}`);
    this.devices.add(device);
  }

  releaseDevice(device: Device): void {
    this.journal.push(`release ${device.name}`);
    this.attached.delete(device);
    if (!this.devices.delete(device)) throw new Error(`${device.name} released, but not probed`);
  }

  allocDomain(type: IommuDomainType): FakeDomain {
    if (type === 'identity' && this.#withoutIdentity) throw new LinuxError('EINVAL', 'no identity domains');
    this.step(`alloc ${type}`);
    const domain = new FakeDomain(this, type);
    this.domains.add(domain);
    return domain;
  }

  step(what: string): void {
    if (this.#steps++ === this.failAt) throw new LinuxError('ENOMEM', `${what} fails`);
    this.journal.push(what);
  }

  /** From now on the k-th step fails. */
  failNext(k: number): void {
    this.failAt = this.#steps + k;
  }

  /** A device with that id here, and nothing else of interest. */
  device(name: string, facts: Partial<Device> = {}): Device {
    return toyDevice({ name, iommuIds: [{ controller: this.node, id: 1 }], ...facts });
  }

  /** All that software has taken of it. */
  get state() {
    return {
      devices: [...this.devices].map(({ name }) => name),
      attached: [...this.attached].map(([{ name }, { type }]) => `${name} ${type}`),
      domains: [...this.domains].map(({ type, pages }) => ({ type, pages: [...pages] })),
    };
  }
}

/** A framework in which these IOMMUs are registered. */
export function coreWith(
  iommus: readonly FakeIommu[],
  options: {
    readonly settings?: IommuSettings;
    readonly nodes?: readonly FirmwareNode[];
    readonly mayCome?: (node: FirmwareNode) => boolean;
  } = {},
) {
  const warnings: string[] = [];
  const core = new IommuCore({
    firmware: stubFirmware(...(options.nodes ?? [])),
    log: { warnings, warn: (message) => void warnings.push(message) },
    mayCome: options.mayCome ?? (() => false),
    settings: options.settings,
  });
  const removals = iommus.map((iommu) => core.register(iommu.node, iommu));
  return { core, warnings, removals };
}
