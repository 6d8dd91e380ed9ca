// SPDX-License-Identifier: Apache-2.0
// struct vfio_device_info and struct vfio_irq_info of linux/vfio.h.

import type { IoctlArg } from '../process/open-file.js';
import { sizedStruct } from './device-requests.js';

/** @linux VFIO_DEVICE_FLAGS_RESET, VFIO_DEVICE_FLAGS_PCI */
export const DEVICE_FLAGS = { RESET: 1, PCI: 2 } as const;

const DEVICE_INFO = { flags: 4, num_regions: 8, num_irqs: 12, cap_offset: 16, minBytes: 16, bytes: 20 } as const;

export interface DeviceInfo {
  /** DEVICE_FLAGS bits. */
  readonly flags: number;
  readonly numRegions: number;
  readonly numIrqs: number;
}

/** Answers VFIO_DEVICE_GET_INFO; there is no capability. @throws LinuxError EFAULT, EINVAL */
export function putDeviceInfo(path: string, arg: IoctlArg, answer: () => DeviceInfo): void {
  const view = sizedStruct(path, arg, DEVICE_INFO.minBytes);
  const { flags, numRegions, numIrqs } = answer();
  view.setUint32(DEVICE_INFO.flags, flags, true);
  view.setUint32(DEVICE_INFO.num_regions, numRegions, true);
  view.setUint32(DEVICE_INFO.num_irqs, numIrqs, true);
  if (view.getUint32(0, true) >= DEVICE_INFO.bytes && view.byteLength >= DEVICE_INFO.bytes)
    view.setUint32(DEVICE_INFO.cap_offset, 0, true);
}

/** @linux VFIO_IRQ_INFO_* */
export const IRQ_INFO_FLAGS = { EVENTFD: 1, MASKABLE: 2, AUTOMASKED: 4, NORESIZE: 8 } as const;

const IRQ_INFO = { flags: 4, index: 8, count: 12, bytes: 16 } as const;

export interface IrqInfo {
  /** IRQ_INFO_FLAGS bits. */
  readonly flags: number;
  readonly count: number;
}

/** Answers VFIO_DEVICE_GET_IRQ_INFO. @throws LinuxError EFAULT, EINVAL; what `answer` throws */
export function putIrqInfo(path: string, arg: IoctlArg, answer: (index: number) => IrqInfo): void {
  const view = sizedStruct(path, arg, IRQ_INFO.bytes);
  const { flags, count } = answer(view.getUint32(IRQ_INFO.index, true));
  view.setUint32(IRQ_INFO.flags, flags, true);
  view.setUint32(IRQ_INFO.count, count, true);
}
