// SPDX-License-Identifier: Apache-2.0
// The doorbells of a host, as irqchips register them. Source: "KVM PCIe/MSI passthrough on ARM/ARM64", part 2/3, v11
// (genirq/msi-doorbell); rules R1-R3.

import { overlaps, pageOf } from '@irqkit/bits';
import type { Device } from '../contracts/device.js';
import { doorbellBases } from '../contracts/doorbell.js';
import type { MsiDoorbellInfo } from '../contracts/doorbell.js';
import { LinuxError } from '../contracts/errno.js';
import type { IommuGroup } from '../contracts/iommu.js';
import { IRQ_DOMAIN_FLAG } from '../irq/irq-domain.js';

/** What `register` returns and `unregister` takes. */
export interface DoorbellHandle {
  readonly info: MsiDoorbellInfo;
}

const ADDRESS_LIMIT = 2 ** 52;

export class DoorbellRegistry {
  readonly #handles = new Set<DoorbellHandle>();
  readonly #nrCpus: number;

  /** `nrCpus`: how many processors are possible; a per-CPU doorbell has a base for each. */
  constructor(nrCpus: number) {
    this.#nrCpus = nrCpus;
  }

  /**
   * @throws LinuxError EINVAL for a zero size, a base that is no address, or a per-CPU doorbell without a base for each
   * possible processor; EEXIST where it overlaps a registered one
   * @linux msi_doorbell_register_global
   */
  register(info: MsiDoorbellInfo): DoorbellHandle {
    const bases = doorbellBases(info);
    if (!Number.isInteger(info.sizeBytes) || info.sizeBytes <= 0)
      throw new LinuxError('EINVAL', `doorbell of ${info.sizeBytes} bytes`);
    for (const base of bases)
      if (!Number.isInteger(base) || base < 0 || base + info.sizeBytes > ADDRESS_LIMIT)
        throw new LinuxError('EINVAL', `doorbell base ${base} is no physical address`);
    if (!('globalDoorbell' in info) && bases.length !== this.#nrCpus)
      throw new LinuxError('EINVAL', `per-CPU doorbell with ${bases.length} bases for ${this.#nrCpus} processors`);
    this.#refuseOverlap(bases, info.sizeBytes);
    const handle: DoorbellHandle = Object.freeze({ info: Object.freeze({ ...info }) });
    this.#handles.add(handle);
    return handle;
  }

  /** @throws LinuxError ENOENT for a handle that is not registered. @linux msi_doorbell_unregister_global */
  unregister(handle: DoorbellHandle): void {
    if (!this.#handles.delete(handle)) throw new LinuxError('ENOENT', 'doorbell is not registered');
  }

  /** In the order of registration. */
  get all(): readonly MsiDoorbellInfo[] {
    return [...this.#handles].map(({ info }) => info);
  }

  /**
   * How many 2^order-byte pages doorbells need. Without a group, the sum over every registered doorbell, as v11 reports it;
   * with one, the distinct pages that its devices' messages can hit.
   * @throws LinuxError EINVAL for an order that is no integer in [0, 51] @linux msi_doorbell_pages
   */
  pages(order: number, group?: IommuGroup): number {
    if (!Number.isInteger(order) || order < 0 || order > 51)
      throw new LinuxError('EINVAL', `page order ${order} is no integer in [0, 51]`);
    if (!group) return this.all.reduce((sum, info) => sum + pageNumbers(info, order).length, 0);
    const reachable = group.devices.flatMap((device) => device.msiDomain?.doorbells ?? []);
    return new Set(reachable.flatMap((info) => pageNumbers(info, order))).size;
  }

  /** True when no registered doorbell lacks interrupt remapping: the whole machine's answer. @linux msi_doorbell_safe */
  safe(): boolean {
    return this.all.every((info) => info.irqRemapping);
  }

  /** True where the MSI domain that this device uses tells devices apart; false where it has none. @linux msi_device_has_isolated_msi */
  hasIsolatedMsi(device: Device): boolean {
    return device.msiDomain?.hasFlag(IRQ_DOMAIN_FLAG.ISOLATED_MSI) ?? false;
  }

  #refuseOverlap(bases: readonly number[], sizeBytes: number): void {
    const own = bases.some((a, i) => bases.some((b, j) => j < i && overlaps(a, sizeBytes, b, sizeBytes)));
    if (own) throw new LinuxError('EINVAL', 'the bases of a per-CPU doorbell overlap');
    for (const other of this.all)
      for (const taken of doorbellBases(other))
        for (const base of bases)
          if (overlaps(base, sizeBytes, taken, other.sizeBytes))
            throw new LinuxError('EEXIST', `doorbell 0x${base.toString(16)} overlaps 0x${taken.toString(16)}`);
  }
}

/** The numbers of the pages that each base of a doorbell touches, bases that share a page repeating it. */
function pageNumbers(info: MsiDoorbellInfo, order: number): number[] {
  return doorbellBases(info).flatMap((base) => {
    const first = pageOf(base, order);
    const last = pageOf(base + info.sizeBytes - 1, order);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
