// SPDX-License-Identifier: Apache-2.0
// TLB synchronization: one SMMU's, or that of one of its context banks where the architecture has it. IHI 0062, "TLB
// maintenance operations"; waiting: the behaviour of Linux 6.1.

import { LinuxError } from '@irqkit/core';
import { TLBGSTATUS, TLBGSYNC, TLBSTATUS, TLBSYNC } from '../regs.js';
import { bankOffset } from './smmu-unit.js';
import type { SmmuUnit } from './smmu-unit.js';

/** A bus has no clock: waits are counted in reads. Linux waits for a second, a microsecond at a time at first. */
export const POLL_LIMIT = 100_000;

export class Tlb {
  readonly #unit: SmmuUnit;
  /** The last synchronization did not end: the next ones are asked once only, until one ends. */
  #hung = false;
  #waiting: (() => void)[] = [];

  constructor(unit: SmmuUnit) {
    this.#unit = unit;
  }

  /** Until all invalidations are done. @returns ETIMEDOUT where they do not get done @linux arm_smmu_tlb_sync_global */
  syncAll(): LinuxError | undefined {
    const failure = this.#sync(TLBGSYNC.offset, TLBGSTATUS.offset, 'the TLBs');
    if (failure) return failure;
    const releases = this.#waiting;
    this.#waiting = [];
    for (const release of releases) release();
    return undefined;
  }

  /** Until a context bank's own invalidations are done. @returns ETIMEDOUT @linux arm_smmu_tlb_sync_context */
  syncBank(bank: number): LinuxError | undefined {
    const at = bankOffset(this.#unit, bank);
    return this.#sync(at + TLBSYNC.offset, at + TLBSTATUS.offset, `the TLB of context bank ${bank}`);
  }

  /** Runs `release` once a synchronization of all TLBs has ended. */
  whenSynced(release: () => void): void {
    this.#waiting.push(release);
  }

  /** True where something waits for a synchronization. */
  get isAwaited(): boolean {
    return this.#waiting.length > 0;
  }

  #sync(sync: number, status: number, what: string): LinuxError | undefined {
    const { path, registers } = this.#unit;
    registers.write(sync, 0, 4);
    const limit = this.#hung ? 1 : POLL_LIMIT;
    for (let polls = 0; polls < limit; polls++)
      if (TLBGSTATUS.GSACTIVE(registers.read(status, 4)) === 0) {
        this.#hung = false;
        return undefined;
      }
    this.#hung = true;
    return new LinuxError('ETIMEDOUT', `${path}: ${what} did not synchronize in ${limit} polls`);
  }
}
