// SPDX-License-Identifier: Apache-2.0
// struct vfio_irq_set of linux/vfio.h, and the checks that Linux makes before it looks at the interrupt asked for.

import { LinuxError } from '@irqkit/core';
import type { IoctlArg } from '../process/open-file.js';
import { NUM_IRQS, pointedAt, sizedStruct } from './device-requests.js';

/** @linux VFIO_IRQ_SET_DATA_* */
export const IRQ_SET_DATA = { NONE: 1, BOOL: 2, EVENTFD: 4 } as const;
/** @linux VFIO_IRQ_SET_ACTION_* */
export const IRQ_SET_ACTION = { MASK: 8, UNMASK: 16, TRIGGER: 32 } as const;

const DATA_MASK = IRQ_SET_DATA.NONE | IRQ_SET_DATA.BOOL | IRQ_SET_DATA.EVENTFD;
const ACTION_MASK = IRQ_SET_ACTION.MASK | IRQ_SET_ACTION.UNMASK | IRQ_SET_ACTION.TRIGGER;
const IRQ_SET = { flags: 4, index: 8, start: 12, count: 16, data: 20 } as const;
const U32_MAX = 0xffff_ffff;

export interface IrqSet {
  readonly index: number;
  readonly start: number;
  readonly count: number;
  /** IRQ_SET_ACTION bits: none or several are the index's own affair. */
  readonly action: number;
  /** One of IRQ_SET_DATA. */
  readonly data: number;
  /** With BOOL, one for each interrupt. */
  readonly bools: readonly boolean[];
  /** With EVENTFD, one for each interrupt; a negative one takes the eventfd away. */
  readonly fds: readonly number[];
}

/**
 * What VFIO_DEVICE_SET_IRQS asks for; `nrIrqs` says how many interrupts an index has.
 * @throws LinuxError EFAULT, EINVAL @linux vfio_set_irqs_validate_and_prepare
 */
export function readIrqSet(path: string, arg: IoctlArg, nrIrqs: (index: number) => number): IrqSet {
  const view = sizedStruct(path, arg, IRQ_SET.data);
  const argsz = view.getUint32(0, true);
  const flags = view.getUint32(IRQ_SET.flags, true);
  const index = view.getUint32(IRQ_SET.index, true);
  const start = view.getUint32(IRQ_SET.start, true);
  const count = view.getUint32(IRQ_SET.count, true);
  const bytes = DATA_BYTES.get(flags & DATA_MASK);
  if (index >= NUM_IRQS || count >= U32_MAX - start || (flags & ~(DATA_MASK | ACTION_MASK)) !== 0)
    throw new LinuxError('EINVAL', `${path}: interrupts ${start}+${count} of index ${index}, flags ${flags}`);
  const nr = nrIrqs(index);
  if (start >= nr || start + count > nr)
    throw new LinuxError('EINVAL', `${path}: interrupts ${start}+${count} of the ${nr} of index ${index}`);
  if (bytes === undefined) throw new LinuxError('EINVAL', `${path}: flags ${flags} name no one kind of data`);
  if (argsz - IRQ_SET.data < count * bytes)
    throw new LinuxError('EINVAL', `${path}: argsz ${argsz} has no room for ${count} times ${bytes} bytes`);
  const data = flags & DATA_MASK;
  pointedAt(path, arg, IRQ_SET.data + count * bytes);
  const each = <T>(kind: number, read: (at: number) => T): readonly T[] =>
    data === kind ? Array.from({ length: count }, (_, i) => read(IRQ_SET.data + i * bytes)) : [];
  return {
    index,
    start,
    count,
    action: flags & ACTION_MASK,
    data,
    bools: each(IRQ_SET_DATA.BOOL, (at) => view.getUint8(at) !== 0),
    fds: each(IRQ_SET_DATA.EVENTFD, (at) => view.getInt32(at, true)),
  };
}

const DATA_BYTES: ReadonlyMap<number, number> = new Map([
  [IRQ_SET_DATA.NONE, 0],
  [IRQ_SET_DATA.BOOL, 1],
  [IRQ_SET_DATA.EVENTFD, 4],
]);
