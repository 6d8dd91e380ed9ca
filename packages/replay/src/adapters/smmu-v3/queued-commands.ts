// SPDX-License-Identifier: Apache-2.0
// The commands behind each write of CMDQ_PROD. Processors store them in RAM, so snapshots alone have their bytes.
// UNIMP: command queues that wrap around before the next snapshot

import { commands, regs } from '@irqkit/smmu-v3';
import { isAccess } from '../../capture/capture.js';
import type { Capture, CapturedAccess } from '../../capture/capture.js';
import type { RamSnapshot } from '../../capture/ram-snapshot.js';

const { CMDQ_BASE, CMDQ_CONS, CMDQ_PROD } = regs;
const { COMMAND_BYTES } = commands;

export interface QueuedCommand {
  /** The write of CMDQ_PROD that handed it over. */
  readonly by: CapturedAccess;
  readonly address: number;
  /** Its index, as CMDQ_CONS counts without the wrap bit. */
  readonly slot: number;
  /** Undefined where no snapshot has it. */
  readonly words: Uint32Array | undefined;
}

/** Every command of a capture in order, with the bytes that `ramAfter` has. */
export function queuedCommands(
  { records }: Capture,
  region: string,
  ramAfter: (n: number) => RamSnapshot | undefined,
): readonly QueuedCommand[] {
  const found: QueuedCommand[] = [];
  const base = new Uint32Array(2);
  let reached = 0;
  for (const access of records.filter(isAccess)) {
    const { op, offset, lo, hi, size, n } = access;
    if (access.region !== region || op !== 'w') continue;
    if (offset === CMDQ_BASE.offset || offset === CMDQ_BASE.offset + 4) {
      base[(offset - CMDQ_BASE.offset) / 4] = lo;
      if (size === 8) base[1] = hi;
    }
    if (offset === CMDQ_CONS.offset) reached = CMDQ_CONS.RD(lo);
    if (offset !== CMDQ_PROD.offset) continue;
    const slots = 2 ** CMDQ_BASE.LOG2SIZE(base);
    const end = CMDQ_PROD.WR(lo) % (2 * slots);
    for (reached %= 2 * slots; reached !== end; reached = (reached + 1) % (2 * slots)) {
      const slot = reached % slots;
      const address = CMDQ_BASE.ADDR(base) + slot * COMMAND_BYTES;
      found.push({ by: access, address, slot, words: wordsAt(ramAfter(n), address) });
    }
  }
  return found;
}

function wordsAt(ram: RamSnapshot | undefined, address: number): Uint32Array | undefined {
  const words = new Uint32Array(COMMAND_BYTES / 4);
  return ram?.load(address, new Uint8Array(words.buffer)) ? words : undefined;
}
