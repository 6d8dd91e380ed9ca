// SPDX-License-Identifier: Apache-2.0
// The ioctls of /dev/vfio/vfio. Source: linux/vfio.h; the behaviour of Linux 6.1 vfio_fops_unl_ioctl, vfio_iommu_type1_ioctl.

import { LinuxError } from '@irqkit/core';
import type { VfioContainer } from '../container/vfio-container.js';
import type { IoctlArg } from '../process/open-file.js';
import type { Process } from '../process/process.js';
import { dirtyPages } from './dirty-ioctl.js';
import { mapDma, unmapDma } from './dma-ioctl.js';
import { getInfo } from './info-ioctl.js';
import {
  VFIO_API_VERSION,
  VFIO_CHECK_EXTENSION,
  VFIO_GET_API_VERSION,
  VFIO_IOMMU_DIRTY_PAGES,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_SET_IOMMU,
} from './requests.js';

/** No extension and no type of IOMMU: what a pointer is where a number is wanted. */
const POINTER = -1;

/** @throws LinuxError EINVAL for a request of an IOMMU while there is none, ENOTTY for one it has not, EFAULT; what the call throws */
export function containerIoctl(container: VfioContainer, request: number, arg: IoctlArg, caller: Process): number {
  const value = typeof arg === 'number' ? arg : POINTER;
  switch (request) {
    case VFIO_GET_API_VERSION:
      return VFIO_API_VERSION;
    case VFIO_CHECK_EXTENSION:
      return container.checkExtension(value);
    case VFIO_SET_IOMMU:
      container.setIommu(value);
      return 0;
  }
  const { iommu } = container;
  switch (request) {
    case VFIO_IOMMU_GET_INFO:
      return getInfo(iommu, arg, container.system.settings.kernel);
    case VFIO_IOMMU_MAP_DMA:
      return mapDma(iommu, arg, caller);
    case VFIO_IOMMU_UNMAP_DMA:
      return unmapDma(iommu, arg, caller);
    case VFIO_IOMMU_DIRTY_PAGES:
      return dirtyPages(iommu, arg, caller);
    default:
      throw new LinuxError('ENOTTY', `${container.path}: request 0x${request.toString(16)}`);
  }
}
