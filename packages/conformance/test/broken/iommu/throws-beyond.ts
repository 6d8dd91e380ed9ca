// SPDX-License-Identifier: Apache-2.0
// Throws at addresses that no driver maps.

import type { Requester } from '@irqkit/core';
import { ToyIommuModel } from '../../toys/toy-iommu/model.js';
import { toyIommu } from '../../toys/toy-iommu/toy-iommu.js';

class Brittle extends ToyIommuModel {
  override translate(by: Requester, address: number, write: boolean): number {
    if (address >= 2 ** 48) throw new RangeError('an address of more than 48 bits');
    return super.translate(by, address, write);
  }
}

export const throwsBeyond = toyIommu({ Model: Brittle });
