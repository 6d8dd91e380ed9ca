// SPDX-License-Identifier: Apache-2.0
// Stage 2: of a transaction's address, and of the addresses of stage 1 tables. Arm IHI 0062, "Stage 2 translation"; SCTLR.PTW.

import { createWalker, WALK_FAULT, walkResult } from '@irqkit/pgtable/walk';
import type { FetchDescriptor, Regime, Walk, WalkResult } from '@irqkit/pgtable/walk';

/** MemAttr[3:2] of a stage 2 descriptor: device memory where both are 0. */
const NORMAL = 0b1100;

export class StageTwo {
  /** Of the translation that was asked for last. */
  readonly result: WalkResult = walkResult();
  readonly #walk: Walk;

  constructor(fetch: FetchDescriptor) {
    this.#walk = createWalker(fetch);
  }

  /** The physical address of an IPA, -1 where `result` has a fault. No regime is no translation, at level 1. */
  translate(regime: Regime | undefined, hi: number, lo: number, access: number): number {
    const { result } = this;
    if (regime === undefined) {
      result.fault = WALK_FAULT.TRANSLATION;
      result.level = 1;
      return -1;
    }
    return this.#walk(regime, hi, lo, access, result) === WALK_FAULT.NONE ? result.pa : -1;
  }

  /** The same for a stage 1 descriptor; with `protectedWalk` one in device memory is a permission fault. */
  tableAddress(regime: Regime | undefined, ipa: number, protectedWalk: boolean): number {
    const pa = this.translate(regime, (ipa * 2 ** -32) | 0, ipa | 0, 0);
    if (pa < 0 || !protectedWalk || (this.result.memAttr & NORMAL) !== 0) return pa;
    this.result.fault = WALK_FAULT.PERMISSION;
    return -1;
  }
}
