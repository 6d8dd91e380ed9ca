// SPDX-License-Identifier: Apache-2.0
// Switching an ITS on and off. IHI 0069, "GITS_CTLR": its tables may be changed only while it is disabled and quiescent.

import { LinuxError } from '@irqkit/core';
import type { MmioRegion } from '@irqkit/core';
import { GITS_BASER, GITS_CBASER, GITS_CTLR, GITS_PIDR2 } from '../regs.js';

/** A bus has no clock: waits are counted in reads. Linux waits for a second, a microsecond at a time. */
export const POLL_LIMIT = 100_000;

// GITS_PIDR2.ArchRev of GICv3 and GICv4
const ARCH_REVS = [3, 4];

/** @throws LinuxError ENODEV where the registers are no ITS's @linux its_map_one */
export function checkIdentity(path: string, registers: MmioRegion): void {
  const archRev = GITS_PIDR2.ArchRev(registers.read(GITS_PIDR2.offset, 4));
  if (!ARCH_REVS.includes(archRev)) throw new LinuxError('ENODEV', `${path}: is no ITS, its ArchRev is ${archRev}`);
}

/** Disables it and waits until nothing of it is under way. @throws LinuxError ETIMEDOUT @linux its_force_quiescent */
export function quiesce(path: string, registers: MmioRegion): void {
  const ctlr = registers.read(GITS_CTLR.offset, 4);
  if (GITS_CTLR.Quiescent(ctlr) === 1 && GITS_CTLR.Enabled(ctlr) === 0) return;
  registers.write(GITS_CTLR.offset, GITS_CTLR.Enabled.set(GITS_CTLR.ImDe.set(ctlr, 0), 0), 4);
  for (let polls = 0; polls < POLL_LIMIT; polls++)
    if (GITS_CTLR.Quiescent(registers.read(GITS_CTLR.offset, 4)) === 1) return;
  throw new LinuxError('ETIMEDOUT', `${path}: does not become quiescent`);
}

/** Only while quiescent. @linux its_reset_one */
export function forgetTables(registers: MmioRegion): void {
  for (let n = 0; n < GITS_BASER.count; n++) registers.write64(GITS_BASER.offset + n * GITS_BASER.stride, 0, 0);
}

/** Only while quiescent. */
export function forgetQueue(registers: MmioRegion): void {
  registers.write64(GITS_CBASER.offset, 0, 0);
}

export function enable(registers: MmioRegion): void {
  registers.write(GITS_CTLR.offset, GITS_CTLR.Enabled.set(registers.read(GITS_CTLR.offset, 4), 1), 4);
}
