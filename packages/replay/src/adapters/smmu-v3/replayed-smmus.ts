// SPDX-License-Identifier: Apache-2.0
// The SMMU of the board, and a second one fed alike on a board of its own: it is asked what an address does not let through,
// and its faults are nobody's.

import { hex } from '@irqkit/bits';
import type { Board } from '@irqkit/board';
import type { CoveredRegion } from '../../adapter.js';
import type { CapturedAccess } from '../../capture/capture.js';
import type { ReplaySession } from '../../replay-session.js';
import { SmmuUnit, addressOf } from './smmu-unit.js';
import { smmuBoard } from './standing-mappings.js';

export class ReplayedSmmus {
  readonly main: SmmuUnit;
  readonly #second: SmmuUnit;
  readonly #board: Board;

  constructor(session: ReplaySession, { path, base }: CoveredRegion) {
    this.main = new SmmuUnit(session.board, path, base);
    this.#board = smmuBoard(session, path);
    this.#second = new SmmuUnit(this.#board, path, base);
  }

  /** Makes a processor's write again on the second one. */
  follow({ op, offset, size, lo, hi, cpu }: CapturedAccess): void {
    if (op !== 'w' || cpu < 0) return;
    if (size === 8) this.#second.writePair(offset, lo, hi);
    else this.#second.write(offset, lo);
  }

  store(address: number, words: Uint32Array): void {
    this.main.store(address, words);
    this.#second.store(address, words);
  }

  /** `-> 0x8090040 rw`. The board's own SMMU is asked in a direction that `perm` says is let through. */
  answer(streamId: number, iova: readonly [lo: number, hi: number], perm: string): string {
    const pa = this.main.translate(streamId, iova, !perm.includes('r'));
    return targetText(pa, this.#second.permission(streamId, iova));
  }

  dispose(): void {
    this.#board.dispose();
  }
}

export function targetText(pa: number, perm: string): string {
  return pa < 0 ? '-> a fault' : `-> ${hex(pa)} ${perm}`.trimEnd();
}

export function placeText(streamId: number, iova: readonly [lo: number, hi: number]): string {
  return `StreamID ${hex(streamId)}, ${hex(addressOf(iova))}`;
}
