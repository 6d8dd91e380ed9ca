// SPDX-License-Identifier: Apache-2.0
// The user-window policy of unmanaged domains: user space says where doorbells go, and unused ones go.
// Source: "KVM PCIe/MSI passthrough on ARM/ARM64", v11.

import { hex, isAligned } from '@irqkit/bits';
import type { Iova } from '../../contracts/address.js';
import { LinuxError } from '../../contracts/errno.js';
import type { PagingDomain } from '../paging-domain.js';
import { choosePolicy } from './choose-policy.js';
import type { DoorbellIovas, MsiBindings } from './msi-bindings.js';

/** Where user space wants doorbells. */
export interface MsiWindowRange {
  readonly base: Iova;
  readonly sizeBytes: number;
}

export class UserMsiWindow implements DoorbellIovas {
  readonly keepsUnused = false;
  /** Also found as the domain's `msiBindings`. */
  readonly bindings: MsiBindings;
  readonly #domain: PagingDomain;
  readonly #pageBytes: number;
  readonly #returned: Iova[] = [];
  #range: MsiWindowRange | undefined;
  /** How many pages from the base were taken since it was last empty; those in #returned were given back. */
  #nrOpened = 0;
  #nrTaken = 0;

  /** Chooses this policy for an unmanaged domain. @throws LinuxError EINVAL for one that is not, EBUSY where it has a policy */
  constructor(domain: PagingDomain) {
    this.#domain = domain;
    this.#pageBytes = domain.pageSizes[0];
    this.bindings = choosePolicy(domain, this);
  }

  /** Undefined while there is none. */
  get range(): MsiWindowRange | undefined {
    return this.#range;
  }

  /** True while bindings live in it. */
  get busy(): boolean {
    return this.#nrTaken > 0;
  }

  /** @throws LinuxError EINVAL where it is empty or not aligned to the smallest page, EEXIST where there is one (R15) */
  provide(base: Iova, sizeBytes: number): void {
    if (!(sizeBytes > 0) || !isAligned(base, this.#pageBytes) || !isAligned(sizeBytes, this.#pageBytes))
      throw this.#error('EINVAL', `${hex(base)}+${hex(sizeBytes)} is no run of ${hex(this.#pageBytes)}-byte pages`);
    if (this.#range) throw this.#error('EEXIST', `there is one at ${hex(this.#range.base)}`);
    this.#range = { base, sizeBytes };
  }

  /** @throws LinuxError ENOENT where there is none, EBUSY while bindings live in it (R15) */
  withdraw(): void {
    if (!this.#range) throw this.#error('ENOENT', 'there is none');
    if (this.busy) throw this.#error('EBUSY', `${this.#nrTaken} doorbell pages are bound in it`);
    this.#range = undefined;
  }

  /** The last one given back, or the lowest that was not taken since the window was last empty. */
  take(): Iova {
    if (!this.#range) throw this.#error('EINVAL', 'there is none');
    const { base, sizeBytes } = this.#range;
    const nrPages = sizeBytes / this.#pageBytes;
    const again = this.#returned.pop();
    if (again === undefined && this.#nrOpened === nrPages)
      throw this.#error('ENOSPC', `all ${nrPages} pages are bound`);
    this.#nrTaken++;
    return again ?? ((base + this.#nrOpened++ * this.#pageBytes) as Iova);
  }

  giveBack(taken: Iova): void {
    this.#nrTaken--;
    this.#returned.push(taken);
    if (this.busy) return;
    this.#returned.length = 0;
    this.#nrOpened = 0;
  }

  #error(code: 'EINVAL' | 'EEXIST' | 'EBUSY' | 'ENOENT' | 'ENOSPC', message: string): LinuxError {
    return new LinuxError(code, `${this.#domain.iommu.path}: MSI window: ${message}`);
  }
}
