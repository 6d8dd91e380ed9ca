// SPDX-License-Identifier: Apache-2.0
// Reports a region inside another one.

import { iova } from '@irqkit/core';
import { REGIONS, toyIommu } from '../../toys/toy-iommu/toy-iommu.js';

export const overlappingRegions = toyIommu({
  regions: [REGIONS[0], { base: iova(0x808_0000), sizeBytes: 0x1000, type: 'reserved', prot: 0 }, REGIONS[1]],
});
