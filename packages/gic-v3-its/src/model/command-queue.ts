// SPDX-License-Identifier: Apache-2.0
// The command queue: GITS_CBASER, GITS_CWRITER and GITS_CREADR. IHI 0069, section 5.3 and the register descriptions.

import type { Dma, ModelLog } from '@irqkit/core';
import { COMMAND_BYTES, COMMAND_NAMES, commandNumber } from '../commands.js';
import { GITS_CBASER } from '../regs.js';
import type { ItsParameters } from '../silicon.js';
import type { CommandSet } from './command-set.js';
import { cbaserMask, writeMasked } from './write-mask.js';
import { TableEntry } from './table-entry.js';

const QUEUE_PAGE_BYTES = 0x1000;
/** GITS_CWRITER.Offset in place. */
const OFFSET_MASK = 0xf_ffe0;
const RETRY = 1;
const STALLED = 1;

export class CommandQueue {
  readonly cbaser = new Uint32Array(2);
  readonly #commands: CommandSet;
  readonly #command: TableEntry;
  readonly #mask: Uint32Array;
  readonly #stallOnError: boolean;
  readonly #log: ModelLog;
  #cwriter = 0;
  #creadr = 0;
  #stalled = false;

  constructor(dma: Dma, commands: CommandSet, parameters: ItsParameters, log: ModelLog) {
    this.#command = new TableEntry(dma, COMMAND_BYTES);
    this.#commands = commands;
    this.#mask = cbaserMask(parameters);
    this.#stallOnError = parameters.stallOnError;
    this.#log = log;
  }

  get cwriter(): number {
    return this.#cwriter;
  }

  get creadr(): number {
    return this.#stalled ? this.#creadr + STALLED : this.#creadr;
  }

  /** A write of GITS_CBASER, which takes GITS_CREADR back to the first command. */
  setBase(lo: number, hi: number): void {
    writeMasked(this.cbaser, this.#mask, lo, hi);
    this.#creadr = 0;
    this.#stalled = false;
  }

  /** A write of GITS_CWRITER's low word. */
  setWriter(value: number): void {
    this.#cwriter = value & OFFSET_MASK;
    if (value & RETRY) this.#stalled = false;
  }

  /** Runs what is in the queue. */
  run(): void {
    if (GITS_CBASER.Valid(this.cbaser) === 0) return;
    const bytes = (GITS_CBASER.Size(this.cbaser) + 1) * QUEUE_PAGE_BYTES;
    // CHOICE: while GITS_CWRITER is outside the queue no command runs, the first of the two that its description permits.
    if (this.#cwriter >= bytes) return this.#log.guest('GITS_CWRITER 0x%x is outside the queue', this.#cwriter);
    const base = GITS_CBASER.Physical_Address(this.cbaser);
    while (this.#creadr !== this.#cwriter && !this.#stalled) {
      this.#runAt(base + this.#creadr);
      if (!this.#stalled) this.#creadr = (this.#creadr + COMMAND_BYTES) % bytes;
    }
  }

  // CHOICE: a command that fails is passed over, as in KVM and QEMU, unless the silicon stalls ("The ITS command interface"
  // permits both, and GITS_CREADR.Stalled tells). A queue that is not in memory stalls.
  #runAt(address: number): void {
    const { words } = this.#command;
    if (!this.#command.load(address)) {
      this.#stalled = true;
      return this.#log.guest('command at 0x%x: no memory', address);
    }
    const error = this.#commands.run(words);
    if (error === undefined) return;
    this.#stalled = this.#stallOnError;
    const number = commandNumber(words);
    this.#log.guest('command %s (0x%x) at 0x%x: %s', COMMAND_NAMES[number] ?? '?', number, address, error);
  }

  /** GITS_CBASER, GITS_CWRITER and GITS_CREADR, four words. */
  save(): Uint32Array {
    return Uint32Array.of(this.cbaser[0], this.cbaser[1], this.#cwriter, this.creadr);
  }

  restore([baseLo, baseHi, cwriter, creadr]: Uint32Array): void {
    this.setBase(baseLo, baseHi);
    this.#cwriter = cwriter & OFFSET_MASK;
    this.#creadr = creadr & OFFSET_MASK;
    this.#stalled = (creadr & STALLED) !== 0;
  }
}
