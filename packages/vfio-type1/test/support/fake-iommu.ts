// SPDX-License-Identifier: Apache-2.0
// An IOMMU whose tables are a Map of entries, which fails at a chosen step.

import { LinuxError, iova } from '@irqkit/core';
import type {
  Device,
  FirmwareNode,
  IommuDomainOps,
  IommuDomainType,
  IommuGroup,
  IommuOps,
  IommuResvRegion,
  Iova,
  IovaRange,
  PhysAddr,
} from '@irqkit/core';
import { stubNode } from './stub-node.js';

export const SW_MSI: IommuResvRegion = { base: iova(0x800_0000), sizeBytes: 0x10_0000, type: 'sw-msi', prot: 0 };

interface Entry {
  readonly pa: number;
  readonly pageBytes: number;
  readonly prot: number;
}

export class FakeDomain implements IommuDomainOps {
  readonly type: IommuDomainType;
  readonly pageSizes: readonly number[];
  readonly aperture: IovaRange;
  readonly entries = new Map<number, Entry>();
  readonly #iommu: FakeIommu;

  constructor(iommu: FakeIommu, type: IommuDomainType) {
    this.#iommu = iommu;
    this.type = type;
    this.pageSizes = type === 'identity' || type === 'blocked' ? [] : iommu.facts.pageSizes;
    this.aperture = iommu.facts.aperture;
  }

  mapPages(at: Iova, pa: PhysAddr, pageBytes: number, count: number, prot: number): void {
    this.#iommu.step(`map ${at.toString(16)}`);
    for (let i = 0; i < count; i++)
      if (this.iovaToPhys((at + i * pageBytes) as Iova) !== undefined) throw new LinuxError('EEXIST', '/iommu: mapped');
    for (let i = 0; i < count; i++) this.entries.set(at + i * pageBytes, { pa: pa + i * pageBytes, pageBytes, prot });
  }

  unmapPages(at: Iova, pageBytes: number, count: number): number {
    let done = 0;
    for (let entry = this.entries.get(at); entry && done < pageBytes * count; entry = this.entries.get(at + done)) {
      if (entry.pageBytes > pageBytes * count - done) throw new Error('a block would be split');
      this.entries.delete(at + done);
      done += entry.pageBytes;
    }
    return done;
  }

  iovaToPhys(at: Iova): PhysAddr | undefined {
    return this.lookUp(at)?.pa as PhysAddr | undefined;
  }

  /** Where an access goes, and what it may do. */
  lookUp(at: number): { readonly pa: number; readonly prot: number } | undefined {
    for (const size of this.pageSizes) {
      const entry = this.entries.get(at - (at % size));
      if (entry && entry.pageBytes >= size) return { pa: entry.pa + (at % size), prot: entry.prot };
    }
    return undefined;
  }

  flushIotlbAll(): void {
    return undefined;
  }

  iotlbSync(): void {
    return undefined;
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

export interface FakeIommuFacts {
  readonly path: string;
  readonly pageSizes: readonly number[];
  readonly aperture: IovaRange;
  readonly translatesMsi: boolean;
  readonly isolatesMsi: boolean;
  readonly reserved: readonly IommuResvRegion[];
}

export class FakeIommu implements IommuOps {
  readonly facts: FakeIommuFacts;
  readonly node: FirmwareNode;
  readonly domains = new Set<FakeDomain>();
  readonly attached = new Map<Device, FakeDomain>();
  /** Devices with one key share a group. */
  readonly groupKeys = new Map<Device, string>();
  #failIn = Infinity;

  constructor(facts: Partial<FakeIommuFacts> = {}) {
    this.facts = {
      path: '/iommu@9050000',
      pageSizes: [0x1000, 0x20_0000, 0x4000_0000],
      aperture: { first: iova(0), last: iova(2 ** 48 - 1) },
      translatesMsi: true,
      isolatesMsi: false,
      reserved: [SW_MSI],
      ...facts,
    };
    this.node = stubNode(this.facts.path);
  }

  get translatesMsi(): boolean {
    return this.facts.translatesMsi;
  }

  get isolatesMsi(): boolean {
    return this.facts.isolatesMsi;
  }

  probeDevice(): void {
    return undefined;
  }

  releaseDevice(device: Device): void {
    this.attached.delete(device);
  }

  allocDomain(type: IommuDomainType): FakeDomain {
    this.step(`alloc ${type}`);
    const domain = new FakeDomain(this, type);
    this.domains.add(domain);
    return domain;
  }

  resvRegions(): readonly IommuResvRegion[] {
    return this.facts.reserved;
  }

  deviceGroup(device: Device): IommuGroup | undefined {
    const key = this.groupKeys.get(device);
    const member = [...this.groupKeys].find(([other, otherKey]) => otherKey === key && other.iommuGroup);
    return key === undefined ? undefined : member?.[0].iommuGroup;
  }

  /** The domain that the device's accesses go through. */
  domainOf(device: Device): FakeDomain {
    const domain = this.attached.get(device);
    if (!domain) throw new Error(`${device.name} is in no domain`);
    return domain;
  }

  /** The step after the next `k` fails; it alone. */
  failAfter(k: number): void {
    this.#failIn = k;
  }

  get failed(): boolean {
    return this.#failIn < 0;
  }

  neverFail(): void {
    this.#failIn = Infinity;
  }

  step(what: string): void {
    if (this.#failIn-- === 0) throw new LinuxError('ENOMEM', `${this.node.path}: ${what} fails`);
  }

  /** All that software has taken of it. */
  get state() {
    return {
      attached: [...this.attached].map(([{ name }, { type }]) => `${name} ${type}`).sort(),
      domains: [...this.domains].map(({ type, entries }) => ({
        type,
        entries: [...entries].sort(([a], [b]) => a - b),
      })),
    };
  }
}
