// SPDX-License-Identifier: Apache-2.0
// Remembers translations without the stream they are of.

import { ToyIommuModel } from '../../toys/toy-iommu/model.js';
import { toyIommu } from '../../toys/toy-iommu/toy-iommu.js';

class Untagged extends ToyIommuModel {
  protected override keyOf(_sid: number, page: number): number {
    return page;
  }
}

export const sharedCache = toyIommu({ Model: Untagged });
