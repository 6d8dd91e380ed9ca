// SPDX-License-Identifier: Apache-2.0
// What a walk asks and what it finds, in small integers: nothing is allocated per walk. Faults: Arm DDI 0487, D8.14
// "Memory aborts"; the order in which they are looked for is D8.14.5's.

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

/** Filled by a walk; one is enough for a model. What a fault does not name is of no meaning then. */
export interface WalkResult {
  /** WALK_FAULT */
  fault: number;
  /** Of the descriptor that decided, leaf or fault. */
  level: number;
  /** The output address of the access, in bytes; of the leaf also where permission is what fails. */
  pa: number;
  /** Bytes that the leaf maps, aligned; for caching. */
  leafBytes: number;
  /** WALK_PERM bits of the leaf. */
  perms: number;
  /** Stage 1: AttrIndx[2:0]; stage 2: MemAttr[3:0]. */
  memAttr: number;
  /** SH[1:0] of the leaf. */
  shareability: number;
  /** Stage 1: nG of the leaf. */
  notGlobal: boolean;
  /** Of the descriptor read last, in bytes: what an external abort or a fault of stage 2 is about. Nested: an IPA. */
  descriptorAddress: number;
}

export function walkResult(): WalkResult {
  return {
    fault: WALK_FAULT.NONE,
    level: 0,
    pa: 0,
    leafBytes: 0,
    perms: 0,
    memAttr: 0,
    shareability: 0,
    notGlobal: false,
    descriptorAddress: 0,
  };
}
