// SPDX-License-Identifier: Apache-2.0
// Structures of the container's and the group's ioctls. Source: linux/vfio.h of Linux 6.1.

import { s32, u16, u32, u64 } from './fields.js';

/** @linux struct vfio_group_status */
export const GROUP_STATUS = { bytes: 8, argsz: u32(0), flags: u32(4) } as const;

/** @linux VFIO_GROUP_FLAGS_* */
export const GROUP_FLAGS = { VIABLE: 1, CONTAINER_SET: 2 } as const;

/** What VFIO_GROUP_SET_CONTAINER's argument points at. */
export const CONTAINER_FD = { bytes: 4, fd: s32(0) } as const;

/** @linux struct vfio_iommu_type1_info; `minsz` ends before cap_offset, which callers may lack */
export const TYPE1_INFO = {
  bytes: 24,
  minsz: 16,
  capsz: 20,
  argsz: u32(0),
  flags: u32(4),
  iova_pgsizes: u64(8),
  cap_offset: u32(16),
} as const;

/** @linux VFIO_IOMMU_INFO_PGSIZES, VFIO_IOMMU_INFO_CAPS */
export const INFO_FLAGS = { PGSIZES: 1, CAPS: 2 } as const;

/** @linux struct vfio_info_cap_header */
export const CAP_HEADER = { bytes: 8, id: u16(0), version: u16(2), next: u32(4) } as const;

/** @linux struct vfio_iommu_type1_info_cap_migration */
export const CAP_MIGRATION = {
  id: 2,
  bytes: 32,
  flags: u32(8),
  pgsize_bitmap: u64(16),
  max_dirty_bitmap_size: u64(24),
} as const;

/** @linux struct vfio_iommu_type1_info_dma_avail */
export const CAP_DMA_AVAIL = { id: 3, bytes: 12, avail: u32(8) } as const;

/** @linux struct vfio_iommu_type1_info_cap_iova_range */
export const CAP_IOVA_RANGE = { id: 1, bytes: 16, nr_iovas: u32(8), rangeBytes: 16 } as const;

/** @linux struct vfio_iova_range */
export const IOVA_RANGE = { start: u64(0), end: u64(8) } as const;

/**
 * The MSI window that user space is to provide (R17): how many bytes, at a multiple of `alignment`. The id is irqkit's own;
 * Linux numbers capabilities from 1 up.
 */
export const CAP_MSI_WINDOW = { id: 0xff00, bytes: 32, size: u64(16), alignment: u64(24) } as const;

/** @linux struct vfio_iommu_type1_dma_map */
export const DMA_MAP = {
  bytes: 32,
  argsz: u32(0),
  flags: u32(4),
  vaddr: u64(8),
  iova: u64(16),
  size: u64(24),
} as const;

/** Bit 2 is VADDR under the SW_MSI policy, RESERVED_MSI_IOVA under the user window (R15). @linux VFIO_DMA_MAP_FLAG_* */
export const DMA_MAP_FLAG = { READ: 1, WRITE: 2, VADDR: 4, RESERVED_MSI_IOVA: 4 } as const;

/** @linux struct vfio_iommu_type1_dma_unmap; a VFIO_BITMAP follows where the flags say so */
export const DMA_UNMAP = { bytes: 24, argsz: u32(0), flags: u32(4), iova: u64(8), size: u64(16) } as const;

/** @linux VFIO_DMA_UNMAP_FLAG_* */
export const DMA_UNMAP_FLAG = { GET_DIRTY_BITMAP: 1, ALL: 2, VADDR: 4 } as const;

/** @linux struct vfio_bitmap */
export const BITMAP = { bytes: 24, pgsize: u64(0), size: u64(8), data: u64(16) } as const;

/** @linux struct vfio_iommu_type1_dirty_bitmap; a DIRTY_GET follows for GET_BITMAP */
export const DIRTY_BITMAP = { bytes: 8, argsz: u32(0), flags: u32(4) } as const;

/** @linux VFIO_IOMMU_DIRTY_PAGES_FLAG_* */
export const DIRTY_FLAG = { START: 1, STOP: 2, GET_BITMAP: 4 } as const;

/** @linux struct vfio_iommu_type1_dirty_bitmap_get; ends in a VFIO_BITMAP */
export const DIRTY_GET = { bytes: 40, bitmapOffset: 16, iova: u64(0), size: u64(8) } as const;
