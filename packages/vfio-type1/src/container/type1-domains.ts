// SPDX-License-Identifier: Apache-2.0
// The IOMMU domains of a container, one for each IOMMU its groups are behind, all with the same mappings (R20).
// Source: the behaviour of Linux 6.1 vfio_iommu_type1_attach_group, vfio_iommu_replay.

import { Devres, IOMMU_PROT, LinuxError } from '@irqkit/core';
import type { IommuGroup, Iova, IovaRange, MsiPolicy, UserDomain } from '@irqkit/core';
import type { VfioSystem } from '../vfio-system.js';
import type { PinnedRun } from '../process/address-space.js';
import type { Dma } from './dma.js';
import type { DmaList, IovaSpan } from './dma-list.js';
import { gapsOf, usableRanges } from './iova-ranges.js';
import { refuseUnisolatedMsis } from './msi-isolation.js';
import type { WindowPolicy } from './window-policy.js';

export interface Type1Domain {
  readonly domain: UserDomain;
  readonly groups: Set<IommuGroup>;
}

/** What a domain must take over before it is used. */
export interface Mappings {
  readonly dmas: DmaList<Dma>;
  readonly window: IovaSpan | undefined;
}

export class Type1Domains {
  readonly #system: VfioSystem;
  readonly #policy: WindowPolicy;
  readonly #domains: Type1Domain[] = [];
  #ranges: readonly IovaRange[] = [];
  #pageSizes: readonly number[] = [];

  constructor(system: VfioSystem, policy: WindowPolicy) {
    this.#system = system;
    this.#policy = policy;
  }

  get all(): readonly Type1Domain[] {
    return this.#domains;
  }

  /** What may be mapped. */
  get ranges(): readonly IovaRange[] {
    return this.#ranges;
  }

  /** In bytes, ascending: those that every domain has. */
  get pageSizes(): readonly number[] {
    return this.#pageSizes;
  }

  get nrGroups(): number {
    return this.#domains.reduce((sum, { groups }) => sum + groups.size, 0);
  }

  /**
   * Attaches a group, to a domain of its IOMMU or to a new one with all mappings; all or nothing.
   * @throws LinuxError EINVAL where it is attached already, or cannot translate what is mapped; EPERM (R18); what the
   * IOMMU's driver throws
   */
  attach(group: IommuGroup, mappings: Mappings): void {
    if (this.#domains.some(({ groups }) => groups.has(group)))
      throw new LinuxError('EINVAL', `iommu group ${group.id} is attached already`);
    const undo = new Devres();
    try {
      const domain = this.#attachSomewhere(group, undo);
      const view = this.#viewWith(domain, group);
      refuseConflicts(view, mappings);
      refuseUnisolatedMsis(this.#system, group);
      if (!this.#domains.includes(domain)) {
        replay(domain.domain, mappings, undo);
        this.#domains.push(domain);
      }
      domain.groups.add(group);
      this.#take(view);
    } catch (error) {
      undo.releaseAll();
      throw error;
    }
  }

  /** Nothing happens for a group that is not attached. @throws LinuxError EBUSY while a device has MSIs enabled; what the driver throws */
  detach(group: IommuGroup): void {
    const found = this.#domains.find(({ groups }) => groups.has(group));
    if (!found) return;
    this.#system.host.iommus.detachGroup(found.domain, group);
    found.groups.delete(group);
    if (found.groups.size > 0 || this.#domains.length > 1) this.#refresh(found);
  }

  /** Frees what no group is attached to. */
  freeUnused(): void {
    for (const unused of this.#domains.filter(({ groups }) => groups.size === 0)) this.#free(unused);
  }

  /** Maps in every domain or in none. @throws what a domain throws */
  map(iova: number, run: PinnedRun, prot: number): void {
    const done: UserDomain[] = [];
    try {
      for (const { domain } of this.#domains) {
        mapRun(domain, iova, run, prot);
        done.push(domain);
      }
    } catch (error) {
      for (const domain of done.reverse()) domain.unmap(iova as Iova, run.sizeBytes);
      throw error;
    }
  }

  /** The last domain ends devices' accesses to what is about to be unpinned. */
  unmap(iova: number, sizeBytes: number): void {
    for (const { domain } of this.#domains) domain.unmap(iova as Iova, sizeBytes);
  }

  #attachSomewhere(group: IommuGroup, undo: Devres): Type1Domain {
    const { iommus } = this.#system.host;
    const { iommu } = iommus.defaultDomainOf(group);
    const known = this.#domains.find(({ domain }) => domain.iommu === iommu);
    if (known && this.#tryAttach(known, group, undo)) return known;
    const policy: MsiPolicy = this.#policy === 'user' ? { userWindow: true } : {};
    const domain = iommus.allocDomain(group, 'unmanaged', policy);
    undo.add(() => domain.free());
    iommus.attachGroup(domain, group);
    undo.add(() => iommus.detachGroup(domain, group));
    return { domain, groups: new Set() };
  }

  /** False where the domain does not suit: a new one may. */
  #tryAttach({ domain }: Type1Domain, group: IommuGroup, undo: Devres): boolean {
    const { iommus } = this.#system.host;
    try {
      iommus.attachGroup(domain, group);
    } catch (error) {
      if (LinuxError.is(error)) return false;
      throw error;
    }
    undo.add(() => iommus.detachGroup(domain, group));
    return true;
  }

  #refresh(changed: Type1Domain): void {
    if (changed.groups.size === 0) this.#free(changed);
    this.#take(this.#view(this.#domains));
  }

  #free(unused: Type1Domain): void {
    this.#domains.splice(this.#domains.indexOf(unused), 1);
    unused.domain.free();
  }

  #viewWith(domain: Type1Domain, group: IommuGroup): View {
    const others = this.#domains.filter((each) => each !== domain);
    return this.#view([...others, { ...domain, groups: new Set([...domain.groups, group]) }]);
  }

  #view(domains: readonly Type1Domain[]): View {
    const { iommus } = this.#system.host;
    const groups = domains.flatMap((each) => [...each.groups]);
    const reserved = groups
      .flatMap((group) => iommus.resvRegions(group))
      .filter(({ type }) => this.#policy === 'sw-msi' || type !== 'sw-msi');
    return {
      ranges: usableRanges(
        domains.map(({ domain }) => domain.aperture),
        reserved,
      ),
      pageSizes: commonSizes(domains.map(({ domain }) => domain.pageSizes)),
    };
  }

  #take({ ranges, pageSizes }: View): void {
    this.#ranges = ranges;
    this.#pageSizes = pageSizes;
  }
}

/** What a container offers for a set of domains and groups. */
interface View {
  readonly ranges: readonly IovaRange[];
  readonly pageSizes: readonly number[];
}

function commonSizes([first = [], ...others]: readonly (readonly number[])[]): readonly number[] {
  return first.filter((size) => others.every((sizes) => sizes.includes(size)));
}

/** @linux vfio_iommu_aper_conflict, vfio_iommu_resv_conflict */
function refuseConflicts({ ranges, pageSizes }: View, { dmas, window }: Mappings): void {
  if (ranges.length === 0) throw new LinuxError('EINVAL', 'no IOVA is left that all groups can use');
  if (pageSizes.length === 0) throw new LinuxError('EINVAL', 'the IOMMUs have no page size in common');
  for (const gap of gapsOf(ranges)) {
    const lost = dmas.find(gap.iova, gap.sizeBytes);
    if (lost || (window && window.iova < gap.iova + gap.sizeBytes && gap.iova < window.iova + window.sizeBytes))
      throw new LinuxError('EINVAL', 'a mapping is where the group reserves addresses');
  }
}

function replay(domain: UserDomain, { dmas, window }: Mappings, undo: Devres): void {
  for (const { iova, runs, prot } of dmas.all) {
    let at = iova;
    for (const run of runs) {
      const runAt = at as Iova;
      mapRun(domain, runAt, run, prot);
      undo.add(() => void domain.unmap(runAt, run.sizeBytes));
      at += run.sizeBytes;
    }
  }
  if (window) domain.userWindow?.provide(window.iova as Iova, window.sizeBytes);
}

// Linux asks for cacheable mappings of whatever is pinned.
function mapRun(domain: UserDomain, iova: number, run: PinnedRun, prot: number): void {
  domain.map(iova as Iova, run.base, run.sizeBytes, prot | IOMMU_PROT.CACHE);
}
