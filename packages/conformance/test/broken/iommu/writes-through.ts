// SPDX-License-Identifier: Apache-2.0
// Lets devices write what they may only read.

import { ToyIommuModel } from '../../toys/toy-iommu/model.js';
import { toyIommu } from '../../toys/toy-iommu/toy-iommu.js';

class Permissive extends ToyIommuModel {
  protected override permits({ read }: { readonly read: boolean }, isWrite: boolean): boolean {
    return isWrite || read;
  }
}

export const writesThrough = toyIommu({ Model: Permissive });
