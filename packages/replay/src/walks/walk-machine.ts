// SPDX-License-Identifier: Apache-2.0
// The recorder's machine: one SMMUv3 and RAM. Its queues stand at the end of RAM, where no recorded table is.

import { createBoard } from '@irqkit/board';
import { LinuxError } from '@irqkit/core';
import { commands, layouts, regs, smmuV3 } from '@irqkit/smmu-v3';
import { SmmuUnit } from '../adapters/smmu-v3/smmu-unit.js';
import { PATH, SMMU_BASE, recorderFirmware } from './recorder-firmware.js';
import { RAM } from './walk-parts.js';
import type { Pair, WalkTables } from './walks.js';

const { CMDQ_BASE, CMDQ_CONS, CMDQ_PROD, CR0, CR2, EVENTQ_BASE, GBPA } = regs;
const { CMD_CFGI_STE_RANGE, CMD_SYNC, CMD_TLBI_NSNH_ALL, COMMAND_BYTES, RANGE_ALL } = commands;

const LOG2_QUEUE = 8;
const EVENT_QUEUE = RAM.base + RAM.sizeBytes - 2 ** LOG2_QUEUE * layouts.EVENT.bytes;
const COMMAND_QUEUE = EVENT_QUEUE - 2 ** LOG2_QUEUE * COMMAND_BYTES;

const PAIRS: readonly string[] = ['STRTAB_BASE'];

/** Everything a machine begins with. */
export interface WalkSetup {
  readonly silicon: Readonly<Record<string, number>>;
  /** By name. CR0 is written last, and the queues are the machine's own. */
  readonly registers: Readonly<Record<string, Pair>>;
  readonly tables: WalkTables;
  readonly stePa: number;
  readonly cdPa: number | undefined;
}

export class WalkMachine {
  readonly unit: SmmuUnit;
  #nrCommands = 0;

  /** @throws LinuxError EINVAL for a register that an SMMUv3 does not have */
  constructor({ silicon, registers, tables, stePa, cdPa }: WalkSetup) {
    const board = createBoard({ firmware: recorderFirmware(), plugins: [smmuV3], silicon: { [PATH]: silicon } });
    this.unit = new SmmuUnit(board, PATH, SMMU_BASE);
    for (const [address, value] of tables.ram) this.store(address, value);
    this.unit.store(stePa, tables.ste);
    if (tables.cd && cdPa !== undefined) this.unit.store(cdPa, tables.cd);
    try {
      this.#program(registers);
    } catch (error) {
      board.dispose();
      throw error;
    }
  }

  store(address: number, value: Pair): void {
    this.unit.store(address, Uint32Array.from(value));
  }

  /** Has the SMMU run commands; gives what it leaves in CMDQ_CONS.ERR, of a queue that has stopped then. */
  run(...list: readonly Uint32Array[]): number {
    for (const words of list) {
      this.unit.store(COMMAND_QUEUE + (this.#nrCommands % 2 ** LOG2_QUEUE) * COMMAND_BYTES, words);
      this.#nrCommands = (this.#nrCommands + 1) % 2 ** (LOG2_QUEUE + 1);
    }
    this.unit.write(CMDQ_PROD.offset, this.#nrCommands);
    const stopped = regs.GERROR.CMDQ_ERR(this.unit.read(regs.GERROR.offset)) === 1;
    return stopped ? CMDQ_CONS.ERR(this.unit.read(CMDQ_CONS.offset)) : 0;
  }

  /** As the recorder did before each access. */
  invalidateAll(): void {
    const configurations = command(CMD_CFGI_STE_RANGE.opcode);
    CMD_CFGI_STE_RANGE.Range.put(configurations, RANGE_ALL);
    this.run(configurations, command(CMD_TLBI_NSNH_ALL.opcode), command(CMD_SYNC.opcode));
  }

  /** Event records since it was last called. */
  takeEvents(): readonly Uint32Array[] {
    const events: Uint32Array[] = [];
    for (let event = this.unit.takeEvent(); event; event = this.unit.takeEvent()) events.push(event);
    return events;
  }

  dispose(): void {
    this.unit.board.dispose();
  }

  #program(registers: Readonly<Record<string, Pair>>): void {
    const { unit } = this;
    const base = new Uint32Array(2);
    CMDQ_BASE.ADDR.put(base, COMMAND_QUEUE);
    CMDQ_BASE.LOG2SIZE.put(base, LOG2_QUEUE);
    unit.writePair(CMDQ_BASE.offset, base[0], base[1]);
    EVENTQ_BASE.ADDR.put(base, EVENT_QUEUE);
    EVENTQ_BASE.LOG2SIZE.put(base, LOG2_QUEUE);
    unit.writePair(EVENTQ_BASE.offset, base[0], base[1]);
    // The recording does not say what CR2 was: C_BAD_STREAMID was recorded, which RECINVSID alone makes so.
    unit.write(CR2.offset, CR2.RECINVSID.set(0, 1));
    for (const [name, [lo, hi]] of Object.entries(registers)) {
      if (name === 'CR0') continue;
      const offset = offsetOf(name);
      if (PAIRS.includes(name)) unit.writePair(offset, lo, hi);
      else unit.write(offset, name === 'GBPA' ? GBPA.Update.set(lo, 1) : lo);
    }
    unit.write(CR0.offset, registers.CR0?.[0] ?? 0);
  }
}

function offsetOf(name: string): number {
  const register = (regs as Readonly<Record<string, unknown>>)[name] as { readonly offset?: unknown } | undefined;
  if (typeof register?.offset !== 'number') throw new LinuxError('EINVAL', `${name} is no register of an SMMUv3`);
  return register.offset;
}

function command(opcode: number): Uint32Array {
  const words = new Uint32Array(COMMAND_BYTES / 4);
  commands.commandOpcode.put(words, opcode);
  return words;
}
