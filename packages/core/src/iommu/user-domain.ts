// SPDX-License-Identifier: Apache-2.0
// A domain that a user of devices allocates, such as a VFIO container, and where doorbells go in it (R12, R15, R16).

import type { Iova } from '../contracts/address.js';
import { LinuxError } from '../contracts/errno.js';
import type { IommuGroup } from '../contracts/iommu.js';
import { getMsiCookie } from './msi-bindings/sw-msi-window.js';
import { UserMsiWindow } from './msi-bindings/user-msi-window.js';
import { PagingDomain } from './paging-domain.js';
import type { PagingDomainOptions } from './paging-domain.js';

/** Where doorbells are mapped in an unmanaged domain. */
export type MsiPolicy =
  /** In a window at `swMsi`, or where the group reports its own. @linux iommu_get_msi_cookie */
  | { readonly swMsi?: Iova }
  /** Where user space says, by the domain's `userWindow`. */
  | { readonly userWindow: true };

export class UserDomain extends PagingDomain {
  /** The window to be provided by user space; undefined under another policy. */
  readonly userWindow: UserMsiWindow | undefined;
  /** @internal Who is attached. */
  readonly groups = new Set<IommuGroup>();

  /** Without a policy no doorbell is mapped; one is for unmanaged domains. */
  constructor(options: PagingDomainOptions, policy?: { readonly swMsi: Iova } | { readonly userWindow: true }) {
    super(options);
    if (policy && 'userWindow' in policy) this.userWindow = new UserMsiWindow(this);
    else if (policy) getMsiCookie(this, policy.swMsi);
  }

  /** @throws LinuxError EBUSY while a group is attached @linux iommu_domain_free */
  override free(): void {
    const [group] = this.groups;
    if (group) throw new LinuxError('EBUSY', `${this.iommu.path}: iommu group ${group.id} is attached to the domain`);
    super.free();
  }
}
