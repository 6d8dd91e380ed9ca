// SPDX-License-Identifier: Apache-2.0
// Stage 2: of a transaction's address, and of the addresses of context descriptors and stage 1 tables. Arm IHI 0070,
// sections 3.4 and 7.3.12 to 7.3.16, STE.S2PTW.

import { createWalker, WALK_FAULT, walkResult } from '@irqkit/pgtable/walk';
import type { FetchDescriptor, Regime, Walk, WalkResult } from '@irqkit/pgtable/walk';
import { eventOfWalk } from './fault.js';
import type { Fault } from './fault.js';

/** MemAttr[3:2] of a stage 2 leaf is 0b00 for every type of device memory. */
const NORMAL_MEMORY = 0b1100;
/** The SMMU's own reads are of data, and permission is checked as for any read. */
const TABLE_ACCESS = 0;

export class StageTwo {
  readonly #walk: Walk;
  readonly #fault: Fault;
  readonly #result: WalkResult = walkResult();

  constructor(fetch: FetchDescriptor, fault: Fault) {
    this.#walk = createWalker(fetch);
    this.#fault = fault;
  }

  /** Of the last translation that succeeded. */
  get perms(): number {
    return this.#result.perms;
  }

  get leafBytes(): number {
    return this.#result.leafBytes;
  }

  /** The physical address; -1 with the fault filled in. `recorded`: STE.S2R. */
  translate(regime: Regime, ipaHi: number, ipaLo: number, access: number, cls: number, recorded: boolean): number {
    const result = this.#result;
    const why = this.#walk(regime, ipaHi, ipaLo, access, result);
    return why === WALK_FAULT.NONE ? result.pa : this.#fail(why, ipaHi, ipaLo, cls, recorded);
  }

  /** The same for a table that the SMMU reads; `protectedWalk` is STE.S2PTW. */
  tableAddress(regime: Regime, ipa: number, cls: number, recorded: boolean, protectedWalk: boolean): number {
    const hi = (ipa * 2 ** -32) | 0;
    const pa = this.translate(regime, hi, ipa | 0, TABLE_ACCESS, cls, recorded);
    if (pa < 0 || !protectedWalk || (this.#result.memAttr & NORMAL_MEMORY) !== 0) return pa;
    return this.#fail(WALK_FAULT.PERMISSION, hi, ipa | 0, cls, recorded);
  }

  #fail(why: number, ipaHi: number, ipaLo: number, cls: number, recorded: boolean): number {
    const fault = this.#fault;
    const external = why === WALK_FAULT.EXTERNAL_ABORT;
    fault.number = eventOfWalk(why);
    fault.s2 = true;
    fault.cls = cls;
    fault.ipa = (ipaHi >>> 0) * 0x1_0000_0000 + (ipaLo >>> 0);
    fault.fetchAddr = external ? this.#result.descriptorAddress : 0;
    fault.recorded = external || recorded;
    return -1;
  }
}
