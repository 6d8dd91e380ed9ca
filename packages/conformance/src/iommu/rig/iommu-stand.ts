// SPDX-License-Identifier: Apache-2.0
// A host whose IOMMU is under test, with two devices behind it, domains, and memory to reach.

import { alignUp, overlaps } from '@irqkit/bits';
import { iova } from '@irqkit/core';
import type { IommuCore, IommuSettings, Iova, IovaRange, IommuResvRegion, UserDomain } from '@irqkit/core';
import { expectThat } from '../../expect/expect.js';
import { withRigs } from '../../rig/rig.js';
import type { Rig } from '../../rig/rig.js';
import type { IommuSubject } from '../capabilities.js';
import { DmaDevice } from './dma-device.js';
import { doorbellController } from './doorbell.js';
import { withDevices } from './own-firmware.js';
import { Pages } from './pages.js';
import { testBus } from './test-bus.js';

type UserDomainType = Parameters<IommuCore['allocDomain']>[1];

/** Runs `work` on new rigs of the subject's machine, with the kit's devices. */
export function withIommuRigs({ plugins, setup }: IommuSubject, count: number, work: (...rigs: Rig[]) => void): void {
  withRigs(count, [...plugins, testBus, doorbellController], () => withDevices(setup()), work);
}

/** Runs `work` on a host that is probed. */
export function withIommu(subject: IommuSubject, work: (stand: IommuStand) => void, settings?: IommuSettings): void {
  withIommuRigs(subject, 1, (rig) => {
    rig.probe(settings);
    work(new IommuStand(rig));
  });
}

/** Everything that is opened here is closed with the rig, last opened first, where the check has not done so. */
export class IommuStand {
  readonly rig: Rig;
  readonly iommus: IommuCore;
  readonly #domains = new Set<UserDomain>();

  constructor(rig: Rig) {
    this.rig = rig;
    this.iommus = rig.host.iommus;
  }

  /** One of the machine's two devices, taken in. @throws as IommuCore.dmaConfigure */
  device(which: 0 | 1 = 0): DmaDevice {
    const device = new DmaDevice(this.rig, which);
    this.iommus.dmaConfigure(device);
    this.rig.onClose(() => this.iommus.dmaUnconfigure(device));
    expectThat(device.iommuGroup !== undefined, () => `${this.rig.machine.path}: no IOMMU is registered for its node`);
    return device;
  }

  /** @throws as IommuCore.allocDomain */
  domain(device: DmaDevice, type: UserDomainType = 'unmanaged'): UserDomain {
    const domain = this.iommus.allocDomain(device.group, type);
    this.#domains.add(domain);
    this.rig.onClose(() => this.free(domain));
    return domain;
  }

  free(domain: UserDomain): void {
    if (this.#domains.delete(domain)) domain.free();
  }

  /** @throws as IommuCore.attachGroup */
  attach(domain: UserDomain, device: DmaDevice): void {
    this.iommus.attachGroup(domain, device.group);
    this.rig.onClose(() => this.detach(domain, device));
  }

  detach(domain: UserDomain, device: DmaDevice): void {
    if (device.iommuGroup && this.iommus.domainOf(device.group) === domain)
      this.iommus.detachGroup(domain, device.group);
  }

  /** Detaches the device, where it is in the domain, and frees that. */
  release(domain: UserDomain, device: DmaDevice): void {
    this.detach(domain, device);
    this.free(domain);
  }

  /** A device in an unmanaged domain of its own. */
  open(which: 0 | 1 = 0): { readonly device: DmaDevice; readonly domain: UserDomain } {
    const device = this.device(which);
    const domain = this.domain(device);
    this.attach(domain, device);
    return { device, domain };
  }

  /** `nr` marked pages, the first at a multiple of `align` bytes: the board's own, which hosts do not hold. */
  pages(nr: number, pageBytes: number, align = pageBytes): Pages {
    return new Pages(this.rig.board.bus.memory.alloc(nr * pageBytes, Math.max(align, 0x1000)), pageBytes);
  }

  /** False where accesses do not simply translate: a reserved region is in the way. */
  isTranslated(device: DmaDevice, at: number, sizeBytes: number): boolean {
    return regionAt(this.iommus.resvRegions(device.group), at, sizeBytes) === undefined;
  }

  /** An IOVA with room for `sizeBytes` in no reserved region, at a multiple of `align`; not the lowest. */
  iovaFor(device: DmaDevice, { aperture }: { readonly aperture: IovaRange }, sizeBytes: number, align: number): Iova {
    const regions = this.iommus.resvRegions(device.group);
    let at = alignUp(aperture.first + align, align);
    for (let region = regionAt(regions, at, sizeBytes); region; region = regionAt(regions, at, sizeBytes))
      at = alignUp(region.base + region.sizeBytes, align);
    expectThat(
      at + sizeBytes - 1 <= aperture.last,
      () => `the aperture has no ${sizeBytes} bytes that are not reserved`,
    );
    return iova(at);
  }
}

/** A reserved region in the way. */
export function regionAt(
  regions: readonly IommuResvRegion[],
  at: number,
  sizeBytes: number,
): IommuResvRegion | undefined {
  return regions.find((region) => overlaps(at, sizeBytes, region.base, region.sizeBytes));
}
