// SPDX-License-Identifier: Apache-2.0
// The command queue. Arm IHI 0070, sections 4.1.2 to 4.1.4 and 7.1 "Command queue errors".
// CHOICE: commands are consumed in the write that makes them processable: of CMDQ_PROD, of CR0 or of GERRORN.

import type { Dma, ModelLog } from '@irqkit/core';
import { COMMAND_BYTES, COMMAND_NAMES, commandOpcode } from '../commands.js';
import { CERROR, GERROR, IDR1 } from '../regs.js';
import type { SmmuParameters } from '../silicon.js';
import type { CommandSet } from './command-set.js';
import type { GlobalErrors } from './global-errors.js';
import { MemoryWords } from './memory-words.js';
import { QueueRegisters } from './queue-registers.js';

export class CommandQueue {
  readonly registers: QueueRegisters;
  /** CR0.CMDQEN */
  enabled = false;
  /** CMDQ_CONS.ERR */
  error: number = CERROR.NONE;
  readonly #command: MemoryWords;
  readonly #commands: CommandSet;
  readonly #errors: GlobalErrors;
  readonly #log: ModelLog;
  #running = false;

  constructor(dma: Dma, parameters: SmmuParameters, commands: CommandSet, errors: GlobalErrors, log: ModelLog) {
    this.registers = new QueueRegisters(IDR1.CMDQS(parameters.idr1), COMMAND_BYTES);
    this.#command = new MemoryWords(dma, COMMAND_BYTES);
    this.#commands = commands;
    this.#errors = errors;
    this.#log = log;
  }

  /** Runs what is in the queue. A message that a command sends may come back here as a write. */
  run(): void {
    if (this.#running) return;
    this.#running = true;
    const { registers } = this;
    while (this.enabled && !registers.isEmpty && !this.#errors.isActive(GERROR.CMDQ_ERR.mask)) this.#step();
    this.#running = false;
  }

  #step(): void {
    const { registers } = this;
    const at = registers.addressOf(registers.cons);
    const { words } = this.#command;
    const error = this.#command.load(at) ? this.#commands.run(words) : CERROR.ABT;
    if (error === CERROR.NONE) {
      registers.cons = registers.next(registers.cons);
      this.#commands.signal();
      return;
    }
    this.error = error;
    const opcode = commandOpcode(words);
    this.#log.guest('command %s (0x%x) at 0x%x: CERROR %d', COMMAND_NAMES[opcode] ?? '?', opcode, at, error);
    this.#errors.activate(GERROR.CMDQ_ERR.mask);
  }
}
