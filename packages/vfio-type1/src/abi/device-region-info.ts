// SPDX-License-Identifier: Apache-2.0
// struct vfio_region_info of linux/vfio.h, and the capability that may follow it.

import type { IoctlArg } from '../process/open-file.js';
import { REGION_BYTES, sizedStruct } from './device-requests.js';

/** @linux VFIO_REGION_INFO_FLAG_* */
export const REGION_FLAGS = { READ: 1, WRITE: 2, MMAP: 4, CAPS: 8 } as const;
/** @linux VFIO_REGION_INFO_CAP_MSIX_MAPPABLE */
export const REGION_CAP = { MSIX_MAPPABLE: 3 } as const;

const REGION_INFO = { flags: 4, index: 8, cap_offset: 12, size: 16, offset: 24, bytes: 32 } as const;
/** struct vfio_info_cap_header: all that an MSIX_MAPPABLE capability has. */
const CAP_HEADER = { id: 0, version: 2, next: 4, bytes: 8 } as const;

export interface RegionInfo {
  readonly sizeBytes: number;
  /** REGION_FLAGS bits but CAPS, which follows from the rest. */
  readonly flags: number;
  /** The MSI-X table lies in it and is mapped with it. */
  readonly msixMappable?: boolean;
}

/**
 * Answers VFIO_DEVICE_GET_REGION_INFO. Where a capability does not fit, argsz says what would.
 * @throws LinuxError EFAULT, EINVAL; what `answer` throws
 */
export function putRegionInfo(path: string, arg: IoctlArg, answer: (index: number) => RegionInfo): void {
  const view = sizedStruct(path, arg, REGION_INFO.bytes);
  const index = view.getUint32(REGION_INFO.index, true);
  const { sizeBytes, flags, msixMappable = false } = answer(index);
  view.setUint32(REGION_INFO.flags, msixMappable ? flags | REGION_FLAGS.CAPS : flags, true);
  put64(view, REGION_INFO.size, sizeBytes);
  put64(view, REGION_INFO.offset, index * REGION_BYTES);
  if (msixMappable) putMsixMappable(view);
}

function putMsixMappable(view: DataView): void {
  const wanted = REGION_INFO.bytes + CAP_HEADER.bytes;
  const fits = view.getUint32(0, true) >= wanted && view.byteLength >= wanted;
  view.setUint32(REGION_INFO.cap_offset, fits ? REGION_INFO.bytes : 0, true);
  if (!fits) {
    view.setUint32(0, wanted, true);
    return;
  }
  view.setUint16(REGION_INFO.bytes + CAP_HEADER.id, REGION_CAP.MSIX_MAPPABLE, true);
  view.setUint16(REGION_INFO.bytes + CAP_HEADER.version, 1, true);
  view.setUint32(REGION_INFO.bytes + CAP_HEADER.next, 0, true);
}

function put64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}
