// SPDX-License-Identifier: Apache-2.0
// What a walk asks and what it finds, in small integers: nothing is allocated per walk. Faults: Arm DDI 0487, D8.14
// "Memory aborts"; the order in which they are looked for is D8.14.5's.

import { LOW_WORD, OF_HIGH_WORD } from '../descriptors.js';

/** What an access does: a sum of these. A read of data by an unprivileged master is 0. */
export const WALK_ACCESS = { WRITE: 1, PRIVILEGED: 2, INSTRUCTION: 4 } as const;

/** Why there is no translation. TABLE: stage 2 has none for the address of a stage 1 table; EXTERNAL_ABORT: a table is not in memory. */
export const WALK_FAULT = {
  NONE: 0,
  TRANSLATION: 1,
  ADDRESS_SIZE: 2,
  ACCESS_FLAG: 3,
  PERMISSION: 4,
  EXTERNAL_ABORT: 5,
  TABLE: 6,
} as const;

/** What a leaf lets through, hierarchical permissions included: a sum of these. Stage 2 knows no privilege but for execution. */
export const WALK_PERM = {
  USER_READ: 1,
  USER_WRITE: 2,
  USER_EXECUTE: 4,
  PRIVILEGED_READ: 8,
  PRIVILEGED_WRITE: 16,
  PRIVILEGED_EXECUTE: 32,
} as const;

/**
 * Filled by a walk; one is enough for a model. What a fault does not name is of no meaning then. Walks store 32-bit integers
 * alone, of either sign; what is read as one number is put together when it is asked for.
 */
export class WalkResult {
  /** WALK_FAULT */
  fault: number = WALK_FAULT.NONE;
  /** Of the descriptor that decided, leaf or fault. */
  level = 0;
  /** Bits [63:32] and [31:0] of `pa`. */
  paHi = 0;
  paLo = 0;
  /** log2 of `leafBytes`. */
  leafBits = 0;
  /** WALK_PERM bits of the leaf. */
  perms = 0;
  /** 1 or 2 */
  stage = 1;
  /** The low word of the leaf. */
  leaf = 0;
  /** Bits [63:32] and [31:0] of `descriptorAddress`. */
  descriptorHi = 0;
  descriptorLo = 0;

  /** The output address of the access, in bytes; of the leaf also where permission is what fails. */
  get pa(): number {
    return this.paHi * OF_HIGH_WORD + (this.paLo >>> 0);
  }

  /** Bytes that the leaf maps, aligned; for caching. */
  get leafBytes(): number {
    return 2 ** this.leafBits;
  }

  /** Stage 1: AttrIndx[2:0]; stage 2: MemAttr[3:0]. */
  get memAttr(): number {
    return this.stage === 1 ? LOW_WORD.AttrIndx(this.leaf) : LOW_WORD.MemAttr(this.leaf);
  }

  /** SH[1:0] of the leaf. */
  get shareability(): number {
    return LOW_WORD.SH(this.leaf);
  }

  /** Stage 1: nG of the leaf. */
  get notGlobal(): boolean {
    return this.stage === 1 && LOW_WORD.nG(this.leaf) === 1;
  }

  /** Of the descriptor read last, in bytes: what an external abort or a fault of stage 2 is about. Nested: an IPA. */
  get descriptorAddress(): number {
    return this.descriptorHi * OF_HIGH_WORD + (this.descriptorLo >>> 0);
  }
}

export function walkResult(): WalkResult {
  return new WalkResult();
}
