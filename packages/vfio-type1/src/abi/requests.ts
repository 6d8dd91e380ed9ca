// SPDX-License-Identifier: Apache-2.0
// Request numbers and flags of VFIO's ioctls. Source: linux/vfio.h of Linux 6.1; _IO(';', 100 + n).

/** @linux VFIO_API_VERSION */
export const VFIO_API_VERSION = 0;

const TYPE = 0x3b;
const BASE = 100;

/** @linux _IO(VFIO_TYPE, VFIO_BASE + nr) */
const io = (nr: number): number => TYPE * 0x100 + BASE + nr;

export const VFIO_GET_API_VERSION = io(0);
export const VFIO_CHECK_EXTENSION = io(1);
export const VFIO_SET_IOMMU = io(2);
export const VFIO_GROUP_GET_STATUS = io(3);
export const VFIO_GROUP_SET_CONTAINER = io(4);
export const VFIO_GROUP_UNSET_CONTAINER = io(5);
export const VFIO_GROUP_GET_DEVICE_FD = io(6);
export const VFIO_DEVICE_GET_INFO = io(7);
export const VFIO_DEVICE_GET_REGION_INFO = io(8);
export const VFIO_DEVICE_GET_IRQ_INFO = io(9);
export const VFIO_DEVICE_SET_IRQS = io(10);
export const VFIO_DEVICE_RESET = io(11);
export const VFIO_IOMMU_GET_INFO = io(12);
export const VFIO_DEVICE_GET_PCI_HOT_RESET_INFO = io(12);
export const VFIO_IOMMU_MAP_DMA = io(13);
export const VFIO_DEVICE_PCI_HOT_RESET = io(13);
export const VFIO_IOMMU_UNMAP_DMA = io(14);
export const VFIO_IOMMU_ENABLE = io(15);
export const VFIO_IOMMU_DISABLE = io(16);
export const VFIO_IOMMU_DIRTY_PAGES = io(17);
export const VFIO_DEVICE_FEATURE = io(17);
