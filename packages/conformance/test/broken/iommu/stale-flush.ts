// SPDX-License-Identifier: Apache-2.0
// Invalidates what it unmaps, but not everything when it is asked to.

import { ToyPagingDomain } from '../../toys/toy-iommu/domain.js';
import { toyIommu } from '../../toys/toy-iommu/toy-iommu.js';

class Strict extends ToyPagingDomain {
  override flushIotlbAll(): void {
    return;
  }
}

export const staleFlush = toyIommu({ Domain: Strict });
