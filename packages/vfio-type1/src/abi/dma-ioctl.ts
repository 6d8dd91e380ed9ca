// SPDX-License-Identifier: Apache-2.0
// VFIO_IOMMU_MAP_DMA and VFIO_IOMMU_UNMAP_DMA. Source: linux/vfio.h; the behaviour of Linux 6.1 vfio_iommu_type1_map_dma,
// vfio_iommu_type1_unmap_dma.

import { LinuxError } from '@irqkit/core';
import type { Type1 } from '../container/type1.js';
import type { DirtyBitmap } from '../container/type1-requests.js';
import type { IoctlArg } from '../process/open-file.js';
import type { Process } from '../process/process.js';
import { checkArgsz, userStruct } from './fields.js';
import { checkRun64 } from './ranges.js';
import { BITMAP, DMA_MAP, DMA_MAP_FLAG, DMA_UNMAP, DMA_UNMAP_FLAG } from './structs.js';

const MAP_FLAGS = DMA_MAP_FLAG.READ | DMA_MAP_FLAG.WRITE | DMA_MAP_FLAG.VADDR;
const UNMAP_FLAGS = DMA_UNMAP_FLAG.GET_DIRTY_BITMAP | DMA_UNMAP_FLAG.ALL | DMA_UNMAP_FLAG.VADDR;

export function mapDma(iommu: Type1, arg: IoctlArg, caller: Process): number {
  const view = userStruct(arg, DMA_MAP.bytes);
  checkArgsz(DMA_MAP.argsz(view), DMA_MAP.bytes);
  const flags = DMA_MAP.flags(view);
  refuseUnknown(flags, MAP_FLAGS);
  const { vaddr, iova, size } = { vaddr: DMA_MAP.vaddr(view), iova: DMA_MAP.iova(view), size: DMA_MAP.size(view) };
  const range = { iova: Number(iova), sizeBytes: Number(size) };
  const access = flags & (DMA_MAP_FLAG.READ | DMA_MAP_FLAG.WRITE);
  // CHOICE: with RESERVED_MSI_IOVA, as in the v11 series, neither the address nor an access is looked at.
  if (iommu.policy === 'user' && (flags & DMA_MAP_FLAG.RESERVED_MSI_IOVA) !== 0) {
    checkRun64(iommu.pageBytes, size, iova);
    iommu.provideMsiWindow(range);
    return 0;
  }
  checkRun64(iommu.pageBytes, size, iova, vaddr);
  if ((flags & DMA_MAP_FLAG.VADDR) !== 0) {
    if (access !== 0) throw new LinuxError('EINVAL', 'MAP_DMA: an access with VADDR');
    iommu.updateVaddr({ ...range, vaddr: Number(vaddr) }, caller);
  } else
    iommu.mapDma(
      {
        ...range,
        vaddr: Number(vaddr),
        read: (access & DMA_MAP_FLAG.READ) !== 0,
        write: (access & DMA_MAP_FLAG.WRITE) !== 0,
      },
      caller,
    );
  return 0;
}

/** The size that was unmapped replaces the size of the range, where the call succeeds. */
export function unmapDma(iommu: Type1, arg: IoctlArg, caller: Process): number {
  const view = userStruct(arg, DMA_UNMAP.bytes);
  checkArgsz(DMA_UNMAP.argsz(view), DMA_UNMAP.bytes);
  const flags = DMA_UNMAP.flags(view);
  refuseUnknown(flags, UNMAP_FLAGS);
  const unmapped = unmap(iommu, view, flags, caller);
  DMA_UNMAP.size.put(view, BigInt(unmapped));
  return 0;
}

function unmap(iommu: Type1, view: DataView, flags: number, caller: Process): number {
  const { iova, size } = { iova: DMA_UNMAP.iova(view), size: DMA_UNMAP.size(view) };
  const all = (flags & DMA_UNMAP_FLAG.ALL) !== 0;
  const bitmap = (flags & DMA_UNMAP_FLAG.GET_DIRTY_BITMAP) !== 0 ? dirtyBitmap(view, flags) : undefined;
  if (all && (iova !== 0n || size !== 0n)) throw new LinuxError('EINVAL', 'UNMAP_DMA: a range with ALL');
  if (!all) checkRun64(iommu.pageBytes, size, iova);
  const range = { iova: Number(iova), sizeBytes: Number(size) };
  if ((flags & DMA_UNMAP_FLAG.VADDR) !== 0) return iommu.invalidateVaddr(all ? undefined : range, caller);
  return all ? iommu.unmapAll(caller) : iommu.unmapDma({ ...range, bitmap }, caller);
}

function dirtyBitmap(view: DataView, flags: number): DirtyBitmap {
  if ((flags & (DMA_UNMAP_FLAG.ALL | DMA_UNMAP_FLAG.VADDR)) !== 0)
    throw new LinuxError('EINVAL', 'UNMAP_DMA: a bitmap with ALL or VADDR');
  checkArgsz(DMA_UNMAP.argsz(view), DMA_UNMAP.bytes + BITMAP.bytes);
  return bitmapAt(view, DMA_UNMAP.bytes);
}

/** @throws LinuxError EFAULT where the buffer ends before it */
export function bitmapAt(view: DataView, offset: number): DirtyBitmap {
  const bitmap = userStruct(view.buffer as ArrayBuffer, offset + BITMAP.bytes);
  const at = new DataView(bitmap.buffer, offset);
  return {
    pageBytes: Number(BITMAP.pgsize(at)),
    sizeBytes: Number(BITMAP.size(at)),
    vaddr: Number(BITMAP.data(at)),
  };
}

function refuseUnknown(flags: number, known: number): void {
  if ((flags & ~known) !== 0) throw new LinuxError('EINVAL', `ioctl: flags 0x${flags.toString(16)}`);
}
