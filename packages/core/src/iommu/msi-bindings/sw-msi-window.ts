// SPDX-License-Identifier: Apache-2.0
// The SW_MSI policy of unmanaged domains: doorbell pages go upwards through a fixed window, and stay.
// Source: the behaviour of Linux 6.1, iommu_dma_alloc_iova for IOMMU_DMA_MSI_COOKIE.

import { hex } from '@irqkit/bits';
import { iova } from '../../contracts/address.js';
import type { Iova } from '../../contracts/address.js';
import { LinuxError } from '../../contracts/errno.js';
import type { IommuResvRegion } from '../../contracts/iommu.js';
import type { PagingDomain } from '../paging-domain.js';
import { choosePolicy } from './choose-policy.js';
import type { DoorbellIovas, MsiBindings } from './msi-bindings.js';

/** Where Linux's Arm SMMU drivers report IOMMU_RESV_SW_MSI. @linux MSI_IOVA_BASE */
export const SW_MSI_IOVA_BASE = iova(0x800_0000);

/** In bytes. @linux MSI_IOVA_LENGTH */
export const SW_MSI_IOVA_LENGTH = 0x10_0000;

/** The region that the drivers report. */
export const SW_MSI_REGION: IommuResvRegion = Object.freeze({
  base: SW_MSI_IOVA_BASE,
  sizeBytes: SW_MSI_IOVA_LENGTH,
  type: 'sw-msi',
  prot: 0,
});

/**
 * Chooses this policy for an unmanaged domain: doorbells from `base` on, SW_MSI_IOVA_LENGTH bytes of them.
 * @throws LinuxError EINVAL for a domain that is not unmanaged, EBUSY where it has a policy @linux iommu_get_msi_cookie
 */
export function getMsiCookie(domain: PagingDomain, base = SW_MSI_IOVA_BASE): MsiBindings {
  return choosePolicy(domain, new SwMsiWindow(domain, base));
}

class SwMsiWindow implements DoorbellIovas {
  readonly keepsUnused = true;
  readonly #domain: PagingDomain;
  readonly #end: number;
  #next: number;

  constructor(domain: PagingDomain, base: Iova) {
    this.#domain = domain;
    this.#next = base;
    this.#end = base + SW_MSI_IOVA_LENGTH;
  }

  take(): Iova {
    const taken = this.#next;
    const next = taken + this.#domain.pageSizes[0];
    if (next > this.#end)
      throw new LinuxError('ENOSPC', `${this.#domain.iommu.path}: the MSI window is full up to ${hex(this.#end)}`);
    this.#next = next;
    return taken as Iova;
  }

  giveBack(taken: Iova): void {
    this.#next = taken;
  }
}
