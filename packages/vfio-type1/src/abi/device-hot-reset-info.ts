// SPDX-License-Identifier: Apache-2.0
// struct vfio_pci_hot_reset_info of linux/vfio.h.

import { LinuxError } from '@irqkit/core';
import type { IoctlArg } from '../process/open-file.js';
import { sizedStruct } from './device-requests.js';

const HOT_RESET_INFO = { flags: 4, count: 8, devices: 12 } as const;
const DEPENDENT_DEVICE = { group_id: 0, segment: 4, bus: 6, devfn: 7, bytes: 8 } as const;

/** @linux struct vfio_pci_dependent_device */
export interface DependentDevice {
  readonly groupId: number;
  /** The PCI domain. */
  readonly segment: number;
  readonly bus: number;
  readonly devfn: number;
}

/**
 * Answers VFIO_DEVICE_GET_PCI_HOT_RESET_INFO.
 * @throws LinuxError EFAULT, EINVAL, ENOSPC with the number of devices put where they have no room; what `answer` throws
 */
export function putHotResetInfo(
  path: string,
  arg: IoctlArg,
  answer: () => { readonly count: number; readonly devices: () => readonly DependentDevice[] },
): void {
  const view = sizedStruct(path, arg, HOT_RESET_INFO.devices);
  const { count, devices } = answer();
  const wanted = HOT_RESET_INFO.devices + count * DEPENDENT_DEVICE.bytes;
  const fits = view.getUint32(0, true) >= wanted && view.byteLength >= wanted;
  const listed = fits ? devices() : [];
  view.setUint32(HOT_RESET_INFO.flags, 0, true);
  view.setUint32(HOT_RESET_INFO.count, count, true);
  listed.forEach(({ groupId, segment, bus, devfn }, i) => {
    const at = HOT_RESET_INFO.devices + i * DEPENDENT_DEVICE.bytes;
    view.setUint32(at + DEPENDENT_DEVICE.group_id, groupId, true);
    view.setUint16(at + DEPENDENT_DEVICE.segment, segment, true);
    view.setUint8(at + DEPENDENT_DEVICE.bus, bus);
    view.setUint8(at + DEPENDENT_DEVICE.devfn, devfn);
  });
  if (!fits) throw new LinuxError('ENOSPC', `${path}: ${count} devices need argsz ${wanted}`);
}
