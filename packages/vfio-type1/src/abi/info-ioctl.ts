// SPDX-License-Identifier: Apache-2.0
// VFIO_IOMMU_GET_INFO and its capability chain, byte for byte (R17). Source: linux/vfio.h; the behaviour of Linux 6.1
// vfio_iommu_type1_get_info, vfio_info_cap_add, vfio_info_cap_shift.

import { alignUp } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { Type1 } from '../container/type1.js';
import type { Type1Info } from '../container/type1-requests.js';
import type { IoctlArg } from '../process/open-file.js';
import type { LinuxVersion } from '../vfio-settings.js';
import { checkArgsz, userStruct } from './fields.js';
import {
  CAP_DMA_AVAIL,
  CAP_HEADER,
  CAP_IOVA_RANGE,
  CAP_MIGRATION,
  CAP_MSI_WINDOW,
  INFO_FLAGS,
  IOVA_RANGE,
  TYPE1_INFO,
} from './structs.js';

/** All capabilities have this version. */
const VERSION = 1;

/**
 * Fills the structure, and the chain where it fits in argsz; else argsz says how much it would need.
 * @throws LinuxError EINVAL for an argsz without room for the page sizes, EFAULT
 */
export function getInfo(iommu: Type1, arg: IoctlArg, kernel: LinuxVersion): number {
  const view = userStruct(arg, TYPE1_INFO.minsz);
  const argsz = TYPE1_INFO.argsz(view);
  checkArgsz(argsz, TYPE1_INFO.minsz);
  const { info } = iommu;
  const chain = capabilityChain(info, kernel === '6.12' ? 8 : 1);
  const needed = TYPE1_INFO.bytes + chain.byteLength;
  if (argsz >= needed) copyOut(view, TYPE1_INFO.bytes, chain);
  else TYPE1_INFO.argsz.put(view, needed);
  TYPE1_INFO.flags.put(view, INFO_FLAGS.PGSIZES | INFO_FLAGS.CAPS);
  TYPE1_INFO.iova_pgsizes.put(view, BigInt(info.pageSizes.reduce((sum, size) => sum + size, 0)));
  if (argsz >= TYPE1_INFO.capsz)
    TYPE1_INFO.cap_offset.put(
      userStruct(view.buffer as ArrayBuffer, TYPE1_INFO.capsz),
      argsz >= needed ? TYPE1_INFO.bytes : 0,
    );
  return 0;
}

/** Each at a multiple of `align`; `next` counts from the start of the structure that the chain follows. */
function capabilityChain(info: Type1Info, align: number): Uint8Array {
  const capabilities = [migration(info), dmaAvailable(info), iovaRanges(info), ...msiWindow(info)];
  const sizes = capabilities.map(({ byteLength }) => alignUp(byteLength, align));
  const chain = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  capabilities.forEach((capability, i) => {
    const isLast = i === capabilities.length - 1;
    CAP_HEADER.next.put(capability, isLast ? 0 : TYPE1_INFO.bytes + at + sizes[i]);
    chain.set(new Uint8Array(capability.buffer), at);
    at += sizes[i];
  });
  return chain;
}

function capability(id: number, sizeBytes: number): DataView {
  const view = new DataView(new ArrayBuffer(sizeBytes));
  CAP_HEADER.id.put(view, id);
  CAP_HEADER.version.put(view, VERSION);
  return view;
}

function migration({ pageSizes, maxDirtyBitmapBytes }: Type1Info): DataView {
  const view = capability(CAP_MIGRATION.id, CAP_MIGRATION.bytes);
  CAP_MIGRATION.pgsize_bitmap.put(view, BigInt(pageSizes[0]));
  CAP_MIGRATION.max_dirty_bitmap_size.put(view, BigInt(maxDirtyBitmapBytes));
  return view;
}

function dmaAvailable(info: Type1Info): DataView {
  const view = capability(CAP_DMA_AVAIL.id, CAP_DMA_AVAIL.bytes);
  CAP_DMA_AVAIL.avail.put(view, info.dmaAvailable);
  return view;
}

function iovaRanges({ iovaRanges: ranges }: Type1Info): DataView {
  const view = capability(CAP_IOVA_RANGE.id, CAP_IOVA_RANGE.bytes + ranges.length * CAP_IOVA_RANGE.rangeBytes);
  CAP_IOVA_RANGE.nr_iovas.put(view, ranges.length);
  ranges.forEach(({ first, last }, i) => {
    const range = new DataView(view.buffer, CAP_IOVA_RANGE.bytes + i * CAP_IOVA_RANGE.rangeBytes);
    IOVA_RANGE.start.put(range, BigInt(first));
    IOVA_RANGE.end.put(range, BigInt(last));
  });
  return view;
}

function msiWindow({ msiWindow: needed }: Type1Info): DataView[] {
  if (!needed) return [];
  const view = capability(CAP_MSI_WINDOW.id, CAP_MSI_WINDOW.bytes);
  CAP_MSI_WINDOW.size.put(view, BigInt(needed.sizeBytes));
  CAP_MSI_WINDOW.alignment.put(view, BigInt(needed.alignment));
  return [view];
}

function copyOut(view: DataView, offset: number, bytes: Uint8Array): void {
  if (view.byteLength < offset + bytes.length) throw new LinuxError('EFAULT', 'GET_INFO: the buffer ends before argsz');
  new Uint8Array(view.buffer).set(bytes, offset);
}
