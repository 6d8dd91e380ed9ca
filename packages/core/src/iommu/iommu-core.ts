// SPDX-License-Identifier: Apache-2.0
// The IOMMU framework of one host: which IOMMU a device is behind, its group and the domain the group is in. Whatever the
// IOMMU: drivers register IommuOps. Source: the behaviour of Linux 6.1 drivers/iommu/iommu.c, of_iommu.c.

import type { Device } from '../contracts/device.js';
import { LinuxError } from '../contracts/errno.js';
import type { Firmware, FirmwareNode } from '../contracts/firmware.js';
import type {
  IommuDomain,
  IommuDomainType,
  IommuFault,
  IommuGroup,
  IommuOps,
  IommuResvRegion,
} from '../contracts/iommu.js';
import { Devres } from '../host/devres.js';
import type { HostLog } from '../host/contexts.js';
import { allocDefaultDomain, mapDirectRegions, reserveRegions } from './default-domain.js';
import type { IommuSettings } from './default-domain.js';
import { DmaDomain } from './dma-domain.js';
import { firmwareResvRegions } from './firmware-resv-regions.js';
import { Group } from './iommu-group.js';
import { SW_MSI_IOVA_BASE } from './msi-bindings/sw-msi-window.js';
import { mergeResvRegions } from './resv-regions.js';
import { UserDomain } from './user-domain.js';
import type { MsiPolicy } from './user-domain.js';

export interface IommuCoreOptions {
  readonly firmware: Firmware;
  readonly log: HostLog;
  /** Says whether a driver of a node has yet to be probed. */
  readonly mayCome: (node: FirmwareNode) => boolean;
  readonly settings?: IommuSettings;
}

/** One IOMMU and the devices behind it, in the order in which they were configured. */
interface Instance {
  readonly node: FirmwareNode;
  readonly ops: IommuOps;
  readonly devices: Set<Device>;
}

export class IommuCore {
  readonly #options: IommuCoreOptions;
  readonly #instances = new Map<FirmwareNode, Instance>();
  readonly #instanceOf = new Map<Device, Instance>();
  /** By id; an id is used again once its group is gone. */
  readonly #groups: (Group | undefined)[] = [];
  /** No lower id is free. */
  #firstFree = 0;
  readonly #faultHandlers = new Set<(fault: IommuFault) => void>();

  constructor(options: IommuCoreOptions) {
    this.#options = options;
  }

  /**
   * Offers the IOMMU at `node` until the returned removal is called, which first releases every device that is still
   * behind it, last configured first: at teardown their users are gone or going. For a driver's DEVRES.
   * @throws LinuxError EEXIST where the node has one @linux iommu_device_register, iommu_device_unregister
   */
  register(node: FirmwareNode, ops: IommuOps): () => void {
    if (this.#instances.has(node)) throw new LinuxError('EEXIST', `${node.path}: there is an IOMMU already`);
    const instance: Instance = { node, ops, devices: new Set() };
    this.#instances.set(node, instance);
    return () => {
      for (const device of [...instance.devices].reverse()) this.#release(device, instance);
      this.#instances.delete(node);
    };
  }

  /**
   * For buses, before their devices are used: whoever depends on an IOMMU is probed after it and torn down before it.
   * @throws LinuxError EPROBE_DEFER while a driver of `node` may still come
   */
  awaitIommu(node: FirmwareNode): void {
    if (!this.#instances.has(node) && this.#options.mayCome(node))
      throw new LinuxError('EPROBE_DEFER', `${node.path}: no IOMMU yet`);
  }

  /**
   * Puts a device behind the IOMMU that its ids lead to, in its group and the domain the group is in. A second call, and one
   * for a device whose ids lead to nothing that is driven, does nothing: its accesses are then untranslated.
   * @throws LinuxError EPROBE_DEFER while the IOMMU may still come, EINVAL for ids at two IOMMUs, EBUSY for a device with
   * MSIs enabled; what the IOMMU's driver throws. The device and its group are then as they were.
   * @linux of_iommu_configure, iommu_probe_device
   */
  dmaConfigure(device: Device): void {
    const instance = this.#instanceOf.has(device) ? undefined : this.#find(device);
    if (!instance) return;
    refuseEnabledMsis(device);
    const { ops } = instance;
    const undo = new Devres();
    try {
      ops.probeDevice(device, device.iommuIds ?? []);
      undo.add(() => ops.releaseDevice(device));
      const regions = this.#deviceRegions(device, instance);
      const group = this.#groupOf(device, instance) ?? this.#createGroup(instance, undo);
      reserveRegions(group.defaultDomain, device, regions);
      mapDirectRegions(group.defaultDomain, regions, undo);
      group.add(device);
    } catch (error) {
      undo.releaseAll();
      throw error;
    }
    instance.devices.add(device);
    this.#instanceOf.set(device, instance);
  }

  /**
   * Undoes dmaConfigure; the last device of a group takes it along. Nothing to undo is no error.
   * @throws LinuxError EBUSY while the device has MSIs enabled @linux iommu_release_device
   */
  dmaUnconfigure(device: Device): void {
    const instance = this.#instanceOf.get(device);
    if (!instance) return;
    refuseEnabledMsis(device);
    this.#release(device, instance);
  }

  /** Ascending by id. */
  get groups(): readonly IommuGroup[] {
    return this.#groups.filter((group) => group !== undefined);
  }

  /**
   * A device's reserved regions, as its IOMMU's driver and then firmware give them; a group's sorted and merged.
   * @throws FirmwareError @linux iommu_get_resv_regions, iommu_get_group_resv_regions
   */
  resvRegions(of: IommuGroup | Device): readonly IommuResvRegion[] {
    if ('devices' in of) return mergeResvRegions(of.devices.flatMap((device) => this.resvRegions(device)));
    const instance = this.#instanceOf.get(of);
    return instance ? this.#deviceRegions(of, instance) : [];
  }

  /** The domain that the group's devices are in. @throws LinuxError ENODEV for a group that is gone */
  domainOf(group: IommuGroup): IommuDomain {
    return this.#live(group).domain;
  }

  /** The domain they are in while nobody has attached them to another. @throws LinuxError ENODEV @linux iommu_group.default_domain */
  defaultDomainOf(group: IommuGroup): IommuDomain {
    return this.#live(group).defaultDomain;
  }

  /** A device's DMA domain, for its driver; undefined where it has no IOMMU, sees physical addresses or is attached to another. */
  dmaDomainOf(device: Device): DmaDomain | undefined {
    const domain = device.iommuGroup && this.#live(device.iommuGroup).domain;
    return domain instanceof DmaDomain ? domain : undefined;
  }

  /** True where the device's IOMMU tells devices' interrupts apart itself, whatever their irqchip does (R18). */
  isolatesMsi(device: Device): boolean {
    return this.#instanceOf.get(device)?.ops.isolatesMsi ?? false;
  }

  /**
   * A domain for the devices of this group and others behind the same IOMMU. In an unmanaged one doorbells are mapped by
   * `policy`, where the IOMMU translates MSIs at all; without one, in the window that the group reports, else at 0x8000000.
   * @throws LinuxError ENODEV for a group that is gone; what the driver throws @linux iommu_domain_alloc
   */
  allocDomain(group: IommuGroup, type: Exclude<IommuDomainType, 'dma'>, policy: MsiPolicy = {}): UserDomain {
    const { node, ops } = this.#instanceAt(this.#live(group));
    const mapsDoorbells = type === 'unmanaged' && ops.translatesMsi;
    const chosen = 'userWindow' in policy ? policy : { swMsi: policy.swMsi ?? this.#swMsiBase(group) };
    return new UserDomain({ type, iommu: node, ops: ops.allocDomain(type) }, mapsDoorbells ? chosen : undefined);
  }

  /**
   * Moves every device of the group to `domain`, or none.
   * @throws LinuxError EBUSY while the group is in another domain than its default one, or a device has MSIs enabled; EINVAL
   * for a domain of another IOMMU, ENODEV for a group that is gone; what the driver throws
   * @linux iommu_attach_group
   */
  attachGroup(domain: UserDomain, group: IommuGroup): void {
    const live = this.#live(group);
    if (domain.iommu !== live.iommu)
      throw new LinuxError('EINVAL', `${live.iommu.path}: group ${group.id} in a domain of ${domain.iommu.path}`);
    if (live.domain !== live.restDomain)
      throw new LinuxError('EBUSY', `${live.iommu.path}: group ${group.id} is attached already`);
    live.devices.forEach(refuseEnabledMsis);
    live.moveTo(domain);
    domain.groups.add(live);
  }

  /**
   * Moves every device of the group back to its default domain, or out of reach of anything while it is claimed; all or none.
   * @throws LinuxError EINVAL where the group is not in `domain`, EBUSY while a device has MSIs enabled; what the driver throws
   * @linux iommu_detach_group
   */
  detachGroup(domain: UserDomain, group: IommuGroup): void {
    const live = this.#live(group);
    if (live.domain !== domain)
      throw new LinuxError('EINVAL', `${live.iommu.path}: group ${group.id} is not attached to that domain`);
    live.devices.forEach(refuseEnabledMsis);
    live.moveTo(live.restDomain);
    domain.groups.delete(live);
  }

  /**
   * Takes the group from the host's drivers: from here on its devices reach nothing while they are in no domain of its owner's.
   * @returns the release, for when the owner has detached it: its devices are in the default domain again
   * @throws LinuxError EBUSY where it is claimed or attached, or a device has MSIs enabled; ENODEV; what the driver throws
   * @linux iommu_group_claim_dma_owner, iommu_group_release_dma_owner
   */
  claimDmaOwner(group: IommuGroup): () => void {
    const live = this.#live(group);
    const blocked = this.allocDomain(group, 'blocked');
    try {
      if (live.claimedBy) throw new LinuxError('EBUSY', `${live.iommu.path}: group ${group.id} is claimed already`);
      this.attachGroup(blocked, group);
    } catch (error) {
      blocked.free();
      throw error;
    }
    live.claimedBy = blocked;
    return () => {
      live.claimedBy = undefined;
      try {
        if (live.domain === blocked && this.#groups[live.id] === live) this.detachGroup(blocked, group);
        blocked.free();
      } catch (error) {
        live.claimedBy = blocked;
        throw error;
      }
    };
  }

  /** Calls back for every access that an IOMMU stopped; returns the removal. @linux iommu_set_fault_handler */
  onFault(handler: (fault: IommuFault) => void): () => void {
    this.#faultHandlers.add(handler);
    return () => void this.#faultHandlers.delete(handler);
  }

  /** For IOMMU drivers, which warn of it themselves, as often as they see fit. @linux report_iommu_fault */
  reportFault(fault: IommuFault): void {
    for (const handler of this.#faultHandlers) handler(fault);
  }

  #find(device: Device): Instance | undefined {
    const [first, ...others] = device.iommuIds ?? [];
    if (!first) return undefined;
    const stray = others.find(({ controller }) => controller !== first.controller);
    if (stray)
      throw new LinuxError(
        'EINVAL',
        `${device.name}: behind ${first.controller.path} and ${stray.controller.path} at once`,
      );
    this.awaitIommu(first.controller);
    return this.#instances.get(first.controller);
  }

  #groupOf(device: Device, { node, ops }: Instance): Group | undefined {
    const found = ops.deviceGroup?.(device) ?? device.busGroup?.();
    if (!found) return undefined;
    const group = this.#live(found);
    if (group.iommu === node) return group;
    throw new LinuxError(
      'EINVAL',
      `${device.name}: behind ${node.path}, its group ${group.id} behind ${group.iommu.path}`,
    );
  }

  #createGroup({ node, ops }: Instance, undo: Devres): Group {
    const { settings = {}, log } = this.#options;
    const defaultDomain = allocDefaultDomain(node, ops, settings, log);
    while (this.#groups[this.#firstFree]) this.#firstFree++;
    const id = this.#firstFree;
    const group = new Group({ id, iommu: node, translatesMsi: ops.translatesMsi, defaultDomain });
    this.#groups[id] = group;
    undo.add(() => this.#removeGroup(group));
    return group;
  }

  #removeGroup(group: Group): void {
    this.#groups[group.id] = undefined;
    this.#firstFree = Math.min(this.#firstFree, group.id);
    if (group.domain instanceof UserDomain) group.domain.groups.delete(group);
    group.defaultDomain.free();
  }

  #release(device: Device, instance: Instance): void {
    const group = device.iommuGroup && this.#live(device.iommuGroup);
    instance.devices.delete(device);
    this.#instanceOf.delete(device);
    instance.ops.releaseDevice(device);
    group?.remove(device);
    if (group?.devices.length === 0) this.#removeGroup(group);
  }

  #live(group: IommuGroup): Group {
    const live = this.#groups[group.id];
    if (live === group) return live;
    throw new LinuxError('ENODEV', `iommu group ${group.id} is gone`);
  }

  #instanceAt(group: Group): Instance {
    const instance = this.#instances.get(group.iommu);
    if (!instance) throw new LinuxError('ENODEV', `${group.iommu.path}: its driver is gone`);
    return instance;
  }

  #deviceRegions(device: Device, { ops }: Instance): readonly IommuResvRegion[] {
    return [...(ops.resvRegions?.(device) ?? []), ...firmwareResvRegions(this.#options.firmware, device)];
  }

  #swMsiBase(group: IommuGroup): typeof SW_MSI_IOVA_BASE {
    return this.resvRegions(group).find(({ type }) => type === 'sw-msi')?.base ?? SW_MSI_IOVA_BASE;
  }
}

// The message that a device holds is an address where it is now.
function refuseEnabledMsis(device: Device): void {
  if (device.msiDescs.length > 0) throw new LinuxError('EBUSY', `${device.name}: its MSIs are enabled`);
}
