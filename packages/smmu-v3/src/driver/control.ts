// SPDX-License-Identifier: Apache-2.0
// Registers that answer in another one, or in themselves. IHI 0070, sections 6.3.9 "CR0", 6.3.14 "GBPA", 6.3.18 "IRQ_CTRL".

import { hex } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { MmioRegion } from '@irqkit/core';
import { CR0, CR0ACK, GBPA, IRQ_CTRL, IRQ_CTRLACK } from '../regs.js';

/** A bus has no clock: waits are counted in reads. Linux waits for a second, a microsecond at a time. */
export const POLL_LIMIT = 100_000;

/** @throws LinuxError ETIMEDOUT where CR0ACK does not follow @linux arm_smmu_write_reg_sync */
export function writeCr0(path: string, registers: MmioRegion, value: number, what: string): void {
  writeAcknowledged(path, registers, CR0.offset, CR0ACK.offset, value, what);
}

/** @throws LinuxError ETIMEDOUT where IRQ_CTRLACK does not follow */
export function writeIrqCtrl(path: string, registers: MmioRegion, value: number, what: string): void {
  writeAcknowledged(path, registers, IRQ_CTRL.offset, IRQ_CTRLACK.offset, value, what);
}

/** Has a disabled SMMU abort what devices do. @throws LinuxError ETIMEDOUT @linux arm_smmu_update_gbpa */
export function abortWhileDisabled(path: string, registers: MmioRegion): void {
  const before = pollGbpa(path, registers);
  registers.write(GBPA.offset, GBPA.Update.set(GBPA.ABORT.set(before, 1), 1), 4);
  pollGbpa(path, registers);
}

function pollGbpa(path: string, registers: MmioRegion): number {
  for (let polls = 0; polls < POLL_LIMIT; polls++) {
    const value = registers.read(GBPA.offset, 4);
    if (GBPA.Update(value) === 0) return value;
  }
  throw new LinuxError('ETIMEDOUT', `${path}: GBPA does not take an update`);
}

function writeAcknowledged(
  path: string,
  registers: MmioRegion,
  offset: number,
  ack: number,
  value: number,
  what: string,
): void {
  registers.write(offset, value, 4);
  for (let polls = 0; polls < POLL_LIMIT; polls++) if (registers.read(ack, 4) === value) return;
  throw new LinuxError('ETIMEDOUT', `${path}: ${what}: ${hex(value)} is not acknowledged`);
}
