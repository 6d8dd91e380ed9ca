// SPDX-License-Identifier: Apache-2.0
// The command queue: a ring of 2048 commands that GITS_CWRITER and GITS_CREADR chase each other around. IHI 0069, section 5.3
// "The ITS command interface" and the registers of those names.

import { LinuxError } from '@irqkit/core';
import type { DmaBuffer, IrqCore } from '@irqkit/core';
import { COMMAND_BYTES } from '../commands.js';
import { GITS_CACHE, GITS_CBASER, GITS_CREADR, GITS_CWRITER, GITS_SHAREABILITY } from '../regs.js';
import { describeCommand } from './command-text.js';
import { sync } from './command-words.js';
import { POLL_LIMIT } from './its-control.js';
import type { ItsUnit } from './its-unit.js';
import { readPair, writePair } from './register-pair.js';

/** @linux ITS_CMD_QUEUE_SZ */
const QUEUE_BYTES = 0x1_0000;
const QUEUE_PAGE_BYTES = 0x1000;
const NR_SLOTS = QUEUE_BYTES / COMMAND_BYTES;

export interface IssueOptions {
  /** The RDbase that a SYNC after the command names. */
  readonly syncTarget?: number;
  /** Takes the command back, where it has taken effect but its SYNC has not, or where that cannot be known. */
  readonly undo?: Uint32Array;
}

interface Failure {
  readonly error: LinuxError;
  /** False where the ITS refused the command or was never told of it. */
  readonly mayTakeEffect: boolean;
  /** False where there was no slot. */
  readonly queued: boolean;
}

/**
 * One command at a time, waited for. An ITS that makes no progress is hung: it is given nothing new until it has drained what
 * it has, but what takes earlier commands back is queued behind them, so that they come to nothing if it wakes up.
 */
export class CommandQueue {
  readonly #unit: ItsUnit;
  readonly #irqs: IrqCore;
  readonly #buffer: DmaBuffer;
  #next = 0;
  #hung = false;
  /** Since it hangs, a command that takes something back has found no slot: what waits to be released never is. */
  #lost = false;
  #whenDrained: (() => void)[] = [];
  readonly #harmless: Uint32Array;

  /**
   * Programs GITS_CBASER of a disabled ITS. `anyTarget`: the RDbase of some redistributor; a SYNC of it stands in for commands
   * that are refused.
   * @throws LinuxError ENOMEM
   */
  constructor(unit: ItsUnit, irqs: IrqCore, anyTarget: number) {
    this.#unit = unit;
    this.#irqs = irqs;
    this.#harmless = sync(anyTarget);
    this.#buffer = unit.memory.alloc(QUEUE_BYTES, QUEUE_BYTES, 'the command queue');
    const value = new Uint32Array(2);
    GITS_CBASER.Size.put(value, QUEUE_BYTES / QUEUE_PAGE_BYTES - 1);
    GITS_CBASER.Shareability.put(value, GITS_SHAREABILITY.INNER);
    GITS_CBASER.Physical_Address.put(value, this.#buffer.base);
    GITS_CBASER.InnerCache.put(value, GITS_CACHE.READ_WRITE_ALLOCATE_WRITE_BACK);
    GITS_CBASER.Valid.put(value, 1);
    writePair(unit.registers, GITS_CBASER.offset, value);
    if (GITS_CBASER.Shareability(readPair(unit.registers, GITS_CBASER.offset)) === GITS_SHAREABILITY.NON) {
      GITS_CBASER.Shareability.put(value, GITS_SHAREABILITY.NON);
      GITS_CBASER.InnerCache.put(value, GITS_CACHE.NON_CACHEABLE);
      writePair(unit.registers, GITS_CBASER.offset, value);
    }
    unit.registers.write64(GITS_CWRITER.offset, 0, 0);
  }

  /**
   * @throws LinuxError EIO for a command that the ITS refuses (it stalls: GITS_CREADR.Stalled), ETIMEDOUT where it makes no
   * progress. Both name the command, its slot and why.
   */
  issue(command: Uint32Array, { syncTarget, undo }: IssueOptions = {}): void {
    this.#irqs.withIrqsDisabled(() => {
      this.checkAlive(() => `${describeCommand(command)} is not issued`);
      const failure = this.#run(command, syncTarget);
      if (!failure) return;
      if (undo && failure.mayTakeEffect) this.takeBack(undo, syncTarget);
      throw failure.error;
    });
  }

  /**
   * Issues a command that takes an earlier one back, and warns where it fails.
   * @returns false where the ITS refused it or there was no slot for it: then what the earlier one gave stays given
   */
  takeBack(command: Uint32Array, syncTarget?: number): boolean {
    return this.#irqs.withIrqsDisabled(() => {
      const failure = this.#run(command, syncTarget);
      if (!failure) return true;
      this.#unit.log.warn(failure.error.message);
      if (!failure.queued) this.#lost = true;
      return failure.queued && failure.mayTakeEffect;
    });
  }

  /** @throws LinuxError ETIMEDOUT while it is hung, naming what is not done for that */
  checkAlive(notDone: () => string): void {
    if (!this.#hung) return;
    const slot = this.#readSlot();
    if (slot !== this.#next) throw this.#errorAt(slot, 'ETIMEDOUT', `still hung, so ${notDone()}`);
    this.#drained();
  }

  /** Runs `release` once the ITS has come to the end of the queue: now, unless it is hung. */
  whenDrained(release: () => void): void {
    if (this.#hung) this.#whenDrained.push(release);
    else release();
  }

  #run(command: Uint32Array, syncTarget: number | undefined): Failure | undefined {
    const commands = syncTarget === undefined ? [command] : [command, sync(syncTarget)];
    const first = this.#next;
    for (const each of commands)
      if (!this.#put(each)) {
        this.#next = first;
        const text = `${this.#unit.path}: no slot for ${describeCommand(command)}: the queue is full`;
        return { error: new LinuxError('ETIMEDOUT', text), mayTakeEffect: false, queued: false };
      }
    this.#post(0);
    return this.#wait(first);
  }

  /** False where the queue stays full: one slot is always left empty. */
  #put(command: Uint32Array): boolean {
    const after = (this.#next + 1) % NR_SLOTS;
    if (!this.#poll(() => this.#readSlot() !== after)) return false;
    this.#buffer.words.set(command, (this.#next * COMMAND_BYTES) / 4);
    this.#next = after;
    return true;
  }

  /** Until the ITS has taken all there is, or does not move for POLL_LIMIT reads. */
  #wait(first: number): Failure | undefined {
    let refused: Failure | undefined;
    let seen = -1;
    let stalledAt = -1;
    const drained = this.#poll(() => {
      const reader = this.#readReader();
      const slot = slotOf(reader);
      if (slot === this.#next) return true;
      if (GITS_CREADR.Stalled(reader) === 1 && slot !== stalledAt) {
        stalledAt = slot;
        const failure = this.#skip(slot, first);
        refused ??= failure;
      }
      const moved = slot !== seen;
      seen = slot;
      return moved ? undefined : false;
    });
    if (drained) {
      this.#drained();
      return refused;
    }
    const wasHung = this.#hung;
    this.#hung = true;
    const why = wasHung ? 'still hung' : `no progress in ${POLL_LIMIT} polls`;
    return refused ?? { error: this.#errorAt(seen, 'ETIMEDOUT', why), mayTakeEffect: true, queued: true };
  }

  /** True when `done` says so; false when it has said false too often in a row. Undefined is progress. */
  #poll(done: () => boolean | undefined): boolean {
    const limit = this.#hung ? 1 : POLL_LIMIT;
    for (let idle = 0; idle < limit;) {
      const answer = done();
      if (answer) return true;
      idle = answer === false ? idle + 1 : 0;
    }
    return false;
  }

  /**
   * Puts a harmless command into the place of the one that the ITS refuses, and lets it go on.
   * @returns the failure, where the refused one is of those from slot `first` on
   */
  #skip(slot: number, first: number): Failure | undefined {
    const error = this.#errorAt(slot, 'EIO', 'the ITS stalls, it refuses the command');
    this.#buffer.words.set(this.#harmless, (slot * COMMAND_BYTES) / 4);
    this.#post(1);
    if (distance(first, slot) < distance(first, this.#next))
      return { error, mayTakeEffect: slot !== first, queued: true };
    this.#unit.log.warn(error.message);
    return undefined;
  }

  #drained(): void {
    this.#hung = false;
    const releases = this.#whenDrained;
    this.#whenDrained = [];
    if (!this.#lost) for (const release of releases) release();
    this.#lost = false;
  }

  #post(retry: 0 | 1): void {
    const value = new Uint32Array(2);
    GITS_CWRITER.Offset.put(value, this.#next * COMMAND_BYTES);
    GITS_CWRITER.Retry.put(value, retry);
    this.#unit.registers.write(GITS_CWRITER.offset, value[0], 4);
  }

  #readReader(): Uint32Array {
    return Uint32Array.of(this.#unit.registers.read(GITS_CREADR.offset, 4), 0);
  }

  #readSlot(): number {
    return slotOf(this.#readReader());
  }

  #errorAt(slot: number, code: 'EIO' | 'ETIMEDOUT', why: string): LinuxError {
    const at = (slot * COMMAND_BYTES) / 4;
    const text = describeCommand(this.#buffer.words.subarray(at, at + COMMAND_BYTES / 4));
    return new LinuxError(code, `${this.#unit.path}: ${text} in slot ${slot}: ${why}`);
  }
}

function slotOf(reader: Uint32Array): number {
  return GITS_CREADR.Offset(reader) / COMMAND_BYTES;
}

/** How many slots `to` is ahead of `from`. */
function distance(from: number, to: number): number {
  return (to - from + NR_SLOTS) % NR_SLOTS;
}
