// SPDX-License-Identifier: Apache-2.0
// What the requests of a device share: their index spaces and how their structures are read. linux/vfio.h.

import { LinuxError } from '@irqkit/core';
import type { IoctlArg } from '../process/open-file.js';

/** @linux VFIO_PCI_BAR0_REGION_INDEX … VFIO_PCI_NUM_REGIONS */
export const REGION_INDEX = { BAR0: 0, BAR5: 5, ROM: 6, CONFIG: 7, VGA: 8 } as const;
export const NUM_REGIONS = 9;

/** @linux VFIO_PCI_INTX_IRQ_INDEX … VFIO_PCI_NUM_IRQS */
export const IRQ_INDEX = { INTX: 0, MSI: 1, MSIX: 2, ERR: 3, REQ: 4 } as const;
export const NUM_IRQS = 5;

/** A region begins at `index * REGION_BYTES` of the device's descriptor. @linux VFIO_PCI_INDEX_TO_OFFSET */
export const REGION_BYTES = 2 ** 40;

/**
 * The structure that an argument points at, `minBytes` of it at least. `argsz`, its first word, must cover as many.
 * @throws LinuxError EFAULT for what is no such memory, EINVAL for a smaller `argsz`
 */
export function sizedStruct(path: string, arg: IoctlArg, minBytes: number): DataView {
  const view = pointedAt(path, arg, minBytes);
  const argsz = view.getUint32(0, true);
  if (argsz < minBytes) throw new LinuxError('EINVAL', `${path}: argsz ${argsz} is less than ${minBytes}`);
  return view;
}

/** @throws LinuxError EFAULT @linux copy_from_user, copy_to_user */
export function pointedAt(path: string, arg: IoctlArg, bytes: number): DataView {
  if (typeof arg !== 'number' && arg.byteLength >= bytes) return new DataView(arg);
  throw new LinuxError('EFAULT', `${path}: the argument does not point at ${bytes} bytes`);
}
