// SPDX-License-Identifier: Apache-2.0
// Chip operations that pass on to the level nearer to the processors.

import { LinuxError } from '../contracts/errno.js';
import type { IrqChip, IrqData } from './irq-chip.js';

function up(data: IrqData): IrqData {
  if (!data.parent) throw new LinuxError('ENOSYS', `${data.domain.name}: irq ${data.virq} has no parent level`);
  return data.parent;
}

/** Each operation of the parent's chip, on the parent's data. @linux irq_chip_mask_parent and its siblings */
export const parentChip = {
  mask: (data: IrqData): void => {
    const parent = up(data);
    parent.chip.mask?.(parent);
  },
  unmask: (data: IrqData): void => {
    const parent = up(data);
    parent.chip.unmask?.(parent);
  },
  ack: (data: IrqData): void => {
    const parent = up(data);
    parent.chip.ack?.(parent);
  },
  eoi: (data: IrqData): void => {
    const parent = up(data);
    parent.chip.eoi?.(parent);
  },
  setType: (data: IrqData, type: number): void => {
    const parent = up(data);
    parent.chip.setType?.(parent, type);
  },
  setAffinity: (data: IrqData, cpus: readonly number[]): void => {
    const parent = up(data);
    if (!parent.chip.setAffinity)
      throw new LinuxError('ENOSYS', `${parent.domain.name}: ${parent.chip.name} cannot set an affinity`);
    parent.chip.setAffinity(parent, cpus);
  },
  retrigger: (data: IrqData): void => {
    const parent = up(data);
    parent.chip.retrigger?.(parent);
  },
} as const satisfies Partial<IrqChip>;
