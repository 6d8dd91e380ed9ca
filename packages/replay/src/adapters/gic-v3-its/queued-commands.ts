// SPDX-License-Identifier: Apache-2.0
// The commands behind each write of GITS_CWRITER. Processors store them in RAM, so snapshots alone have their bytes.
// UNIMP: command queues that wrap around before the next snapshot

import { commands, regs } from '@irqkit/gic-v3-its';
import { isAccess } from '../../capture/capture.js';
import type { Capture, CapturedAccess } from '../../capture/capture.js';
import type { RamSnapshot } from '../../capture/ram-snapshot.js';

const { GITS_CBASER, GITS_CWRITER } = regs;
const { COMMAND_BYTES } = commands;
const QUEUE_PAGE_BYTES = 0x1000;

export interface QueuedCommand {
  /** The write of GITS_CWRITER that handed it over. */
  readonly by: CapturedAccess;
  readonly address: number;
  /** Its number in the queue. */
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
    if (offset === GITS_CBASER.offset || offset === GITS_CBASER.offset + 4) {
      base[(offset - GITS_CBASER.offset) / 4] = lo;
      if (size === 8) base[1] = hi;
      reached = 0;
    }
    if (offset !== GITS_CWRITER.offset) continue;
    const end = GITS_CWRITER.Offset(Uint32Array.of(lo, 0));
    const sizeBytes = (GITS_CBASER.Size(base) + 1) * QUEUE_PAGE_BYTES;
    for (; reached !== end && end < sizeBytes; reached = (reached + COMMAND_BYTES) % sizeBytes) {
      const address = GITS_CBASER.Physical_Address(base) + reached;
      found.push({ by: access, address, slot: reached / COMMAND_BYTES, words: wordsAt(ramAfter(n), address) });
    }
  }
  return found;
}

function wordsAt(ram: RamSnapshot | undefined, address: number): Uint32Array | undefined {
  const words = new Uint32Array(COMMAND_BYTES / 4);
  return ram?.load(address, new Uint8Array(words.buffer)) ? words : undefined;
}
