// SPDX-License-Identifier: Apache-2.0
// What user space may map: the aperture all domains have, without what groups reserve (R16).
// Source: the behaviour of Linux 6.1 vfio_iommu_aper_resize, vfio_iommu_resv_exclude.

import type { IommuResvRegion, Iova, IovaRange } from '@irqkit/core';

/** Ascending; empty where nothing is left. */
export function usableRanges(apertures: readonly IovaRange[], reserved: readonly IommuResvRegion[]): IovaRange[] {
  const first = Math.max(...apertures.map((aperture) => aperture.first));
  const last = Math.min(...apertures.map((aperture) => aperture.last));
  let ranges = first <= last ? [{ first, last }] : [];
  for (const region of reserved)
    if (region.type !== 'direct-relaxable') ranges = ranges.flatMap((range) => without(range, region));
  return ranges.map((range) => ({ first: range.first as Iova, last: range.last as Iova }));
}

/** What lies between the ranges, and around them. */
export function gapsOf(ranges: readonly IovaRange[]): { iova: number; sizeBytes: number }[] {
  const bounds = [-1, ...ranges.flatMap(({ first, last }) => [first, last]), Infinity];
  const gaps = [];
  for (let i = 0; i < bounds.length; i += 2)
    gaps.push({ iova: bounds[i] + 1, sizeBytes: bounds[i + 1] - (bounds[i] + 1) });
  return gaps.filter(({ sizeBytes }) => sizeBytes > 0);
}

/** True where one of the ranges holds all of it. @linux vfio_iommu_iova_dma_valid */
export function holds(ranges: readonly IovaRange[], iova: number, sizeBytes: number): boolean {
  return ranges.some(({ first, last }) => iova >= first && iova + sizeBytes - 1 <= last);
}

interface Range {
  readonly first: number;
  readonly last: number;
}

function without({ first, last }: Range, { base, sizeBytes }: IommuResvRegion): Range[] {
  const end = base + sizeBytes;
  if (base > last || end <= first) return [{ first, last }];
  return [...(base > first ? [{ first, last: base - 1 }] : []), ...(end <= last ? [{ first: end, last }] : [])];
}
