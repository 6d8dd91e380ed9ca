// SPDX-License-Identifier: Apache-2.0
// The command queue: commands in batches, each ended by a SYNC that is waited for. IHI 0070, sections 3.5 "Command and event
// queues", 4.7 "CMD_SYNC" and 4.8 "Command Consumption summary". Positions have the wrap bit above the index.

import { LinuxError } from '@irqkit/core';
import { COMMAND_BYTES } from '../commands.js';
import { CERROR, CMDQ_BASE, CMDQ_CONS, CMDQ_PROD } from '../regs.js';
import { describeCommand } from './command-text.js';
import { sync } from './command-words.js';
import { POLL_LIMIT } from './control.js';
import { allocQueue, queueBase } from './queue-memory.js';
import type { SmmuUnit } from './smmu-unit.js';

/** How many commands the SMMU is told of at once, without their SYNC. @linux CMDQ_BATCH_ENTRIES */
export const CMDQ_BATCH = 64;
/** How often in a row the SMMU may stop at one command. */
const RETRY_LIMIT = 100;
const COMMAND_WORDS = COMMAND_BYTES / 4;

/** Errors that go away by trying again; the others do not. */
const RETRIED: Readonly<Record<number, string | undefined>> = {
  [CERROR.ABT]: 'the SMMU cannot fetch the command',
  [CERROR.ATC_INV_SYNC]: 'an ATC invalidation is not answered',
};

/**
 * `begin`, `add` as many as there are, `sync`. An SMMU that makes no progress is hung: it is still given commands while there
 * are slots, but asked only once whether it has woken up. Handlers of its interrupts may run inside, at any register access.
 */
export class CommandQueue {
  /** CMDQ_BASE. */
  readonly base: Uint32Array;
  /** Serves GERROR, which tells of commands that are refused; false where it tells of nothing. */
  serveErrors: () => boolean = () => false;
  readonly #unit: SmmuUnit;
  readonly #words: Uint32Array;
  readonly #sync = sync();
  readonly #nrSlots: number;
  /** Of a position. */
  readonly #mask: number;
  /** Where the next command goes; what the SMMU was told; what it was last seen to have consumed. */
  #next = 0;
  #told = 0;
  #consumed = 0;
  /** Batches that are begun and not ended, where the first of them began, and what has gone wrong since. */
  #nrOpen = 0;
  #first = 0;
  #failure: LinuxError | undefined;
  #hung = false;
  /** Where the SMMU last stopped at an error, and how often since. */
  #stoppedAt = -1;
  #nrStops = 0;
  #whenDrained: (() => void)[] = [];

  /** @throws LinuxError ENOMEM */
  constructor(unit: SmmuUnit) {
    const memory = allocQueue(unit, unit.features.log2Commands, COMMAND_BYTES, 'the command queue');
    this.#unit = unit;
    this.#words = memory.buffer.words;
    this.#nrSlots = 2 ** memory.log2Size;
    this.#mask = 2 * this.#nrSlots - 1;
    this.base = queueBase(memory, CMDQ_BASE, CMDQ_BASE.RA);
  }

  begin(): void {
    if (this.#nrOpen++ > 0) return;
    this.#first = this.#next;
    this.#failure = undefined;
    this.#nrStops = 0;
  }

  /** Adds a command to the batch. Allocates nothing. */
  add(command: Uint32Array): void {
    const untold = (this.#next - this.#told) & this.#mask;
    if (untold === this.#unit.features.maxUnsyncedCommands) this.#putSync();
    else if (untold === CMDQ_BATCH) this.#tell();
    this.#put(command);
  }

  /**
   * Ends the batch and waits until the SMMU has done what it says. Allocates nothing where it succeeds.
   * @returns ETIMEDOUT where the SMMU makes no progress, EIO where it refuses a command of the batch; the message names the
   * command and its slot
   */
  sync(): LinuxError | undefined {
    this.#putSync();
    this.#nrOpen--;
    return this.#failure;
  }

  /** A batch of one. @throws LinuxError as `sync` returns */
  issue(command: Uint32Array): void {
    this.begin();
    this.add(command);
    const failure = this.sync();
    if (failure) throw failure;
  }

  /** A command that nobody waits for: what becomes of it is in the log alone. */
  post(command: Uint32Array): void {
    if (this.#put(command)) this.#tell();
  }

  /** Runs `release` once the SMMU has come to the end of the queue: now, unless it is hung. */
  whenDrained(release: () => void): void {
    if (this.#hung) this.#whenDrained.push(release);
    else release();
  }

  /**
   * Readies the queue for going on after an error, once GERROR is acknowledged: a SYNC takes the place of the command that is
   * refused.
   * @returns false where the SMMU has stopped too often at this command: it is to stay as it is, hung
   * @linux arm_smmu_cmdq_skip_err
   */
  skipRefused(): boolean {
    const cons = this.#unit.registers.read(CMDQ_CONS.offset, 4);
    const error = CMDQ_CONS.ERR(cons);
    if (error === CERROR.NONE) return true;
    const position = CMDQ_CONS.RD(cons) & this.#mask;
    const isNew = position !== this.#stoppedAt;
    this.#nrStops = isNew ? 1 : this.#nrStops + 1;
    this.#stoppedAt = position;
    // CHOICE: Linux tries for ever; here a handler that never comes to an end would keep everything else from running.
    if (this.#nrStops > RETRY_LIMIT) return false;
    const again = RETRIED[error];
    const failure = this.#errorAt(position, 'EIO', again ?? 'the SMMU refuses the command');
    if (isNew) this.#unit.log.warn(failure.message);
    if (again !== undefined) return true;
    if (this.#nrOpen > 0 && this.#ahead(this.#first, position) < this.#ahead(this.#first, this.#next))
      this.#failure ??= failure;
    this.#words.set(this.#sync, this.#slotOf(position) * COMMAND_WORDS);
    return true;
  }

  #putSync(): void {
    if (!this.#put(this.#sync)) return;
    const end = this.#next;
    this.#tell();
    if (!this.#poll(end))
      this.#failure ??= this.#errorAt(this.#consumed, 'ETIMEDOUT', `no progress in ${POLL_LIMIT} polls`);
  }

  /** False where the queue stays full. */
  #put(command: Uint32Array): boolean {
    while (this.#ahead(this.#consumed, this.#next) >= this.#nrSlots)
      if (!this.#poll((this.#next - this.#nrSlots + 1) & this.#mask)) {
        const text = `${this.#unit.path}: no slot for ${describeCommand(command)}: the queue stays full`;
        this.#failure ??= new LinuxError('ETIMEDOUT', text);
        return false;
      }
    const at = this.#slotOf(this.#next) * COMMAND_WORDS;
    for (let word = 0; word < COMMAND_WORDS; word++) this.#words[at + word] = command[word];
    this.#next = (this.#next + 1) & this.#mask;
    return true;
  }

  #tell(): void {
    this.#told = this.#next;
    this.#unit.registers.write(CMDQ_PROD.offset, this.#next, 4);
  }

  /** Until all before `end` is consumed; false where the SMMU makes no progress. */
  #poll(end: number): boolean {
    const limit = this.#hung ? 1 : POLL_LIMIT;
    for (let idle = 0; idle < limit; idle++) {
      const before = this.#consumed;
      const cons = this.#unit.registers.read(CMDQ_CONS.offset, 4);
      this.#consumed = CMDQ_CONS.RD(cons) & this.#mask;
      if (this.#ahead(this.#consumed, this.#next) <= this.#ahead(end, this.#next)) {
        this.#awake();
        return true;
      }
      // With interrupts disabled nobody else serves the error that the queue stands at.
      const served = CMDQ_CONS.ERR(cons) !== CERROR.NONE && this.serveErrors();
      if (this.#nrStops > RETRY_LIMIT) break;
      if (served || this.#consumed !== before) idle = -1;
    }
    this.#hung = true;
    return false;
  }

  #awake(): void {
    if (!this.#hung) return;
    this.#hung = this.#consumed !== this.#next;
    if (this.#hung) return;
    const releases = this.#whenDrained;
    this.#whenDrained = [];
    for (const release of releases) release();
  }

  /** How far `to` is ahead of `from`. */
  #ahead(from: number, to: number): number {
    return (to - from) & this.#mask;
  }

  #slotOf(position: number): number {
    return position & (this.#nrSlots - 1);
  }

  #errorAt(position: number, code: 'EIO' | 'ETIMEDOUT', why: string): LinuxError {
    const slot = this.#slotOf(position);
    const command = this.#words.subarray(slot * COMMAND_WORDS, (slot + 1) * COMMAND_WORDS);
    return new LinuxError(code, `${this.#unit.path}: ${describeCommand(command)} in slot ${slot}: ${why}`);
  }
}
