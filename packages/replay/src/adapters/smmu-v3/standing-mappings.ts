// SPDX-License-Identifier: Apache-2.0
// Translations from a snapshot of RAM alone: an SMMU of its own, whose tables are the snapshot's and whose registers are what
// software had written by then. What of the recorded translations still stands, the recorder's list of leaves says.

import { createBoard } from '@irqkit/board';
import type { Board } from '@irqkit/board';
import { word } from '@irqkit/bits';
import { regs, smmuV3 } from '@irqkit/smmu-v3';
import type { CoveredRegion } from '../../adapter.js';
import { isAccess } from '../../capture/capture.js';
import type { Capture, CapturedAccess } from '../../capture/capture.js';
import type { RamSnapshot } from '../../capture/ram-snapshot.js';
import type { RecordedLeaf } from '../../capture/smmu-tables.js';
import type { ReplaySession } from '../../replay-session.js';
import { SmmuUnit } from './smmu-unit.js';

const { CR0, CR1, CR2, GBPA, STRTAB_BASE, STRTAB_BASE_CFG } = regs;

/** Registers that say how to translate: queues and interrupts are left alone. */
const PROGRAMMED: readonly number[] = [
  CR0.offset,
  CR1.offset,
  CR2.offset,
  GBPA.offset,
  STRTAB_BASE.offset,
  STRTAB_BASE.offset + 4,
  STRTAB_BASE_CFG.offset,
];

/** Arm DDI 0487, D8.3.1: AP[2:1] of stage 1, S2AP[1:0] of stage 2. */
const AP_READ_ONLY = word(7);
const S2AP_READ = word(6);
const S2AP_WRITE = word(7);

/** A board of the capture's tree with nothing on it but its SMMUs. */
export function smmuBoard(session: ReplaySession, path: string): Board {
  const { firmware } = session.capture;
  return createBoard({ firmware, plugins: [smmuV3], silicon: { [path]: session.siliconOf(path) } });
}

/** The SMMU as software had set it up at a snapshot, with the snapshot as its RAM. */
export function unitAt(board: Board, region: CoveredRegion, capture: Capture, ram: RamSnapshot): SmmuUnit {
  const unit = new SmmuUnit(board, region.path, region.base);
  ram.forEachPage((address, bytes) => unit.store(address, bytes));
  for (const access of capture.records) {
    if (access.n > ram.n) break;
    if (isAccess(access) && isProgrammed(access, region)) program(unit, access);
  }
  return unit;
}

/** Where the leaf takes an address, and what it lets through. */
export function leafTarget({ stage, descriptor, log2Size }: RecordedLeaf, iova: number): { pa: number; perm: string } {
  const [lo, hi] = descriptor;
  const output = (hi % 2 ** 16) * 2 ** 32 + lo;
  const words = Uint32Array.of(lo, hi);
  const perm =
    stage === 1 ? ['r', AP_READ_ONLY(words) ? '' : 'w'] : [S2AP_READ(words) ? 'r' : '', S2AP_WRITE(words) ? 'w' : ''];
  return { pa: output - (output % 2 ** log2Size) + (iova % 2 ** log2Size), perm: perm.join('') };
}

function isProgrammed({ op, region, offset }: CapturedAccess, { name }: CoveredRegion): boolean {
  return op === 'w' && region === name && PROGRAMMED.includes(offset);
}

function program(unit: SmmuUnit, { offset, size, lo, hi }: CapturedAccess): void {
  if (size === 8) unit.writePair(offset, lo, hi);
  else unit.write(offset, offset === CR0.offset ? CR0.SMMUEN.set(0, CR0.SMMUEN(lo)) : lo);
}
