// SPDX-License-Identifier: Apache-2.0
// VFIO_IOMMU_DIRTY_PAGES. Source: linux/vfio.h; the behaviour of Linux 6.1 vfio_iommu_type1_dirty_pages.

import { LinuxError } from '@irqkit/core';
import type { Type1 } from '../container/type1.js';
import type { IoctlArg } from '../process/open-file.js';
import type { Process } from '../process/process.js';
import { bitmapAt } from './dma-ioctl.js';
import { checkArgsz, userStruct } from './fields.js';
import { checkRun64 } from './ranges.js';
import { DIRTY_BITMAP, DIRTY_FLAG, DIRTY_GET } from './structs.js';

export function dirtyPages(iommu: Type1, arg: IoctlArg, caller: Process): number {
  if (iommu.model === 'v1') throw new LinuxError('EACCES', 'DIRTY_PAGES: a v1 container');
  const view = userStruct(arg, DIRTY_BITMAP.bytes);
  const argsz = DIRTY_BITMAP.argsz(view);
  checkArgsz(argsz, DIRTY_BITMAP.bytes);
  switch (DIRTY_BITMAP.flags(view)) {
    case DIRTY_FLAG.START:
      iommu.startDirtyTracking();
      return 0;
    case DIRTY_FLAG.STOP:
      iommu.stopDirtyTracking();
      return 0;
    case DIRTY_FLAG.GET_BITMAP:
      checkArgsz(argsz, DIRTY_BITMAP.bytes + DIRTY_GET.bytes);
      return getBitmap(iommu, arg, caller);
    default:
      throw new LinuxError('EINVAL', `DIRTY_PAGES: flags 0x${DIRTY_BITMAP.flags(view).toString(16)}`);
  }
}

function getBitmap(iommu: Type1, arg: IoctlArg, caller: Process): number {
  const { buffer } = userStruct(arg, DIRTY_BITMAP.bytes + DIRTY_GET.bytes);
  const range = new DataView(buffer, DIRTY_BITMAP.bytes);
  const { iova, size } = { iova: DIRTY_GET.iova(range), size: DIRTY_GET.size(range) };
  checkRun64(iommu.pageBytes, size, iova);
  // Here, unlike in unmapping, a range may not even end where the address space does.
  if (iova + size === 1n << 64n) throw new LinuxError('EINVAL', 'DIRTY_PAGES: the range wraps');
  const bitmap = bitmapAt(range, DIRTY_BITMAP.bytes + DIRTY_GET.bitmapOffset);
  iommu.getDirtyBitmap({ iova: Number(iova), sizeBytes: Number(size), bitmap }, caller);
  return 0;
}
