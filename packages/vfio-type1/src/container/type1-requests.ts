// SPDX-License-Identifier: Apache-2.0
// What a container's address space is asked and answers. Source: linux/vfio.h of Linux 6.1.

import type { IovaRange } from '@irqkit/core';

/** @linux VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU, VFIO_TYPE1_NESTING_IOMMU */
export type Type1Model = 'v1' | 'v2' | 'nesting';

/** A range of IOVAs, in bytes. */
export interface MappedRange {
  readonly iova: number;
  readonly sizeBytes: number;
}

export interface MapDma extends MappedRange {
  /** Where it is in the caller's memory. */
  readonly vaddr: number;
  /** What devices may do. */
  readonly read?: boolean;
  readonly write?: boolean;
}

/** A bitmap in the caller's memory: a bit for each page from the range's start on. @linux struct vfio_bitmap */
export interface DirtyBitmap {
  readonly vaddr: number;
  readonly sizeBytes: number;
  readonly pageBytes: number;
}

export interface DirtyRange extends MappedRange {
  readonly bitmap: DirtyBitmap;
}

export interface UnmapDma extends MappedRange {
  /** Takes the dirty pages on the way. */
  readonly bitmap?: DirtyBitmap;
}

/** @linux VFIO_IOMMU_GET_INFO and its capabilities */
export interface Type1Info {
  /** In bytes, ascending. */
  readonly pageSizes: readonly number[];
  readonly iovaRanges: readonly IovaRange[];
  /** How many more mappings it takes. */
  readonly dmaAvailable: number;
  readonly maxDirtyBitmapBytes: number;
  /** What the registered doorbells need of the window that user space is to provide; undefined under SW_MSI. */
  readonly msiWindow: { readonly sizeBytes: number; readonly alignment: number } | undefined;
}
