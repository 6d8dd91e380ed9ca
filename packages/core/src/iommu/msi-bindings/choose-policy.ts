// SPDX-License-Identifier: Apache-2.0
// An unmanaged domain gets one policy for its doorbells, once.

import { LinuxError } from '../../contracts/errno.js';
import type { PagingDomain } from '../paging-domain.js';
import { MsiBindings } from './msi-bindings.js';
import type { DoorbellIovas } from './msi-bindings.js';

/** @throws LinuxError EINVAL for a domain that is not unmanaged, EBUSY where it has a policy */
export function choosePolicy(domain: PagingDomain, iovas: DoorbellIovas): MsiBindings {
  if (domain.type !== 'unmanaged')
    throw new LinuxError('EINVAL', `${domain.iommu.path}: a ${domain.type} domain takes no MSI window`);
  if (domain.msiBindings) throw new LinuxError('EBUSY', `${domain.iommu.path}: the domain has an MSI window policy`);
  domain.msiBindings = new MsiBindings(domain, iovas);
  return domain.msiBindings;
}
