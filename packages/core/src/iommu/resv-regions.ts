// SPDX-License-Identifier: Apache-2.0
// The reserved regions of a group: those of its devices, sorted and merged. Source: the behaviour of Linux 6.1
// iommu_insert_resv_region, which /sys/kernel/iommu_groups/*/reserved_regions shows.

import type { IommuResvRegion, IommuResvType } from '../contracts/iommu.js';

// @linux enum iommu_resv_type
const TYPE_ORDER: Readonly<Record<IommuResvType, number>> = {
  direct: 0,
  'direct-relaxable': 1,
  reserved: 2,
  msi: 3,
  'sw-msi': 4,
};

/**
 * Ascending by address, then type; overlapping and adjacent regions of one type are one, with the protection of the lowest.
 * @linux iommu_insert_resv_region
 */
export function mergeResvRegions(regions: readonly IommuResvRegion[]): readonly IommuResvRegion[] {
  const sorted = [...regions].sort((a, b) => a.base - b.base || TYPE_ORDER[a.type] - TYPE_ORDER[b.type]);
  const merged: IommuResvRegion[] = [];
  const lastOfType = new Map<IommuResvType, number>();
  for (const region of sorted) {
    const at = lastOfType.get(region.type);
    const before = at === undefined ? undefined : merged[at];
    if (at !== undefined && before && region.base <= before.base + before.sizeBytes) {
      const end = Math.max(before.base + before.sizeBytes, region.base + region.sizeBytes);
      merged[at] = { ...before, sizeBytes: end - before.base };
    } else {
      lastOfType.set(region.type, merged.length);
      merged.push(region);
    }
  }
  return merged;
}
