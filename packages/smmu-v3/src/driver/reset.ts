// SPDX-License-Identifier: Apache-2.0
// Bringing an SMMU up, from whatever state. IHI 0070, section 3.11 "Reset, Enable and initialization"; the order: Linux 6.1
// arm_smmu_device_reset.
// UNIMP: PRI

import { LinuxError } from '@irqkit/core';
import {
  CMDQ_BASE,
  CMDQ_CONS,
  CMDQ_PROD,
  CR0,
  CR1,
  CR1_CACHE,
  CR2,
  EVENTQ_BASE,
  EVENTQ_CONS,
  EVENTQ_PROD,
  IRQ_CTRL,
  SHAREABILITY,
  STRTAB_BASE,
  STRTAB_BASE_CFG,
} from '../regs.js';
import type { CommandQueue } from './command-queue.js';
import { cfgiAll, tlbiEl2All, tlbiNsnhAll } from './command-words.js';
import { abortWhileDisabled, writeCr0, writeIrqCtrl } from './control.js';
import type { EventQueue } from './event-queue.js';
import type { SmmuUnit } from './smmu-unit.js';
import type { StreamTable } from './stream-table.js';

export interface ResetParts {
  readonly queue: CommandQueue;
  readonly events: EventQueue;
  readonly streams: StreamTable;
  readonly setUpInterrupts: () => void;
}

/** @throws LinuxError ETIMEDOUT where the SMMU does not follow, EIO where it refuses a command; what setUpInterrupts throws */
export function reset(unit: SmmuUnit, { queue, events, streams, setUpInterrupts }: ResetParts): void {
  const { path, registers, page1Shift, features, log } = unit;
  if (CR0.SMMUEN(registers.read(CR0.offset, 4))) {
    log.warn(`${path}: was enabled already`);
    try {
      abortWhileDisabled(path, registers);
    } catch (error) {
      if (!LinuxError.is(error)) throw error;
      log.warn(error.message);
    }
  }
  disable(unit);
  registers.write(CR1.offset, cacheable(), 4);
  registers.write(CR2.offset, CR2.PTM.set(CR2.RECINVSID.set(0, 1), 1), 4);
  writePair(unit, STRTAB_BASE.offset, streams.base);
  registers.write(STRTAB_BASE_CFG.offset, streams.config, 4);

  writePair(unit, CMDQ_BASE.offset, queue.base);
  registers.write(CMDQ_PROD.offset, 0, 4);
  registers.write(CMDQ_CONS.offset, 0, 4);
  let enables = CR0.CMDQEN.set(0, 1);
  writeCr0(path, registers, enables, 'enabling the command queue');
  queue.issue(cfgiAll());
  if (features.hyp) queue.issue(tlbiEl2All());
  queue.issue(tlbiNsnhAll());

  writePair(unit, EVENTQ_BASE.offset, events.base);
  registers.write(EVENTQ_PROD.offset + page1Shift, 0, 4);
  registers.write(EVENTQ_CONS.offset + page1Shift, 0, 4);
  enables = CR0.EVENTQEN.set(enables, 1);
  writeCr0(path, registers, enables, 'enabling the event queue');

  writeIrqCtrl(path, registers, 0, 'disabling interrupts');
  setUpInterrupts();
  writeIrqCtrl(path, registers, IRQ_CTRL.EVENTQ_IRQEN.set(IRQ_CTRL.GERROR_IRQEN.set(0, 1), 1), 'enabling interrupts');
  writeCr0(path, registers, CR0.SMMUEN.set(enables, 1), 'enabling translation');
}

/** @throws LinuxError ETIMEDOUT @linux arm_smmu_device_disable */
export function disable({ path, registers }: SmmuUnit): void {
  writeCr0(path, registers, 0, 'disabling');
}

function cacheable(): number {
  let value = CR1.TABLE_SH.set(0, SHAREABILITY.INNER);
  value = CR1.TABLE_OC.set(value, CR1_CACHE.WRITE_BACK);
  value = CR1.TABLE_IC.set(value, CR1_CACHE.WRITE_BACK);
  value = CR1.QUEUE_SH.set(value, SHAREABILITY.INNER);
  value = CR1.QUEUE_OC.set(value, CR1_CACHE.WRITE_BACK);
  return CR1.QUEUE_IC.set(value, CR1_CACHE.WRITE_BACK);
}

function writePair({ registers }: SmmuUnit, offset: number, [lo, hi]: Uint32Array): void {
  registers.write64(offset, lo, hi);
}
