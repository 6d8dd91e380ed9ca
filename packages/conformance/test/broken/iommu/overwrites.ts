// SPDX-License-Identifier: Apache-2.0
// Maps over what is mapped.

import { ToyPagingDomain } from '../../toys/toy-iommu/domain.js';
import { toyIommu } from '../../toys/toy-iommu/toy-iommu.js';

class Overwriting extends ToyPagingDomain {
  protected override checkFree(): void {
    return;
  }
}

export const overwrites = toyIommu({ Domain: Overwriting });
