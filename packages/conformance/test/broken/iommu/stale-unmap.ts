// SPDX-License-Identifier: Apache-2.0
// Forgets the invalidation when it unmaps.

import type { IotlbGather } from '@irqkit/core';
import { ToyPagingDomain } from '../../toys/toy-iommu/domain.js';
import { toyIommu } from '../../toys/toy-iommu/toy-iommu.js';

class Forgetful extends ToyPagingDomain {
  override iotlbSync(gather: IotlbGather): void {
    gather.reset();
  }
}

export const staleUnmap = toyIommu({ Domain: Forgetful });
