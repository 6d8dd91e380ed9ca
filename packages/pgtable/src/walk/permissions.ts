// SPDX-License-Identifier: Apache-2.0
// What a leaf lets through. Arm DDI 0487, chapter D8, "Memory access control": "Direct permissions", "Hierarchical control"
// and "Stage 2".

import { AP, AP_TABLE, S2AP, S2XN, STAGE1, STAGE2, TABLE } from '../descriptors.js';
import type { Regime } from './regime.js';
import { WALK_ACCESS, WALK_PERM } from './walk-result.js';

const { USER_READ, USER_WRITE, USER_EXECUTE, PRIVILEGED_READ, PRIVILEGED_WRITE, PRIVILEGED_EXECUTE } = WALK_PERM;
const USER_DATA = USER_READ | USER_WRITE;
const PRIVILEGED_DATA = PRIVILEGED_READ | PRIVILEGED_WRITE;
const WRITES = USER_WRITE | PRIVILEGED_WRITE;
const EXECUTES = USER_EXECUTE | PRIVILEGED_EXECUTE;

/** WALK_PERM bits of a stage 1 leaf; `tables`: the attributes of all table descriptors above it, or-ed. */
export function stage1Perms(regime: Regime, leaf: Uint32Array, tables: Uint32Array): number {
  const limits = TABLE.APTable(tables);
  const ap = STAGE1.AP(leaf);
  const readOnly = (ap & AP.RO_PRIVILEGED) !== 0 || (limits & AP_TABLE.READ_ONLY) !== 0;
  const uxn = (STAGE1.UXN(leaf) | TABLE.XNTable(tables)) !== 0;
  let perms = PRIVILEGED_DATA | USER_DATA | EXECUTES;
  if (readOnly) perms &= ~WRITES;
  if (uxn) perms &= ~USER_EXECUTE;
  if (regime.onePrivilege) {
    if (uxn || (regime.wxn && !readOnly)) perms &= ~EXECUTES;
    return perms;
  }
  const unprivileged = (ap & AP.RW) !== 0 && (limits & AP_TABLE.NO_UNPRIVILEGED) === 0;
  if (!unprivileged) perms &= ~USER_DATA;
  if ((STAGE1.PXN(leaf) | TABLE.PXNTable(tables)) !== 0 || (perms & USER_WRITE) !== 0) perms &= ~PRIVILEGED_EXECUTE;
  if (regime.wxn) {
    if ((perms & USER_WRITE) !== 0) perms &= ~USER_EXECUTE;
    if ((perms & PRIVILEGED_WRITE) !== 0) perms &= ~PRIVILEGED_EXECUTE;
  }
  if (regime.pan && unprivileged) perms &= ~PRIVILEGED_DATA;
  return perms;
}

/** WALK_PERM bits of a stage 2 leaf. */
export function stage2Perms(regime: Regime, leaf: Uint32Array): number {
  const s2ap = STAGE2.S2AP(leaf);
  let perms = 0;
  if ((s2ap & S2AP.READ) !== 0) perms |= USER_READ | PRIVILEGED_READ;
  if ((s2ap & S2AP.WRITE) !== 0) perms |= WRITES;
  const xn = regime.xnx ? STAGE2.XN(leaf) : STAGE2.XN(leaf) & S2XN.ALL;
  switch (xn) {
    case S2XN.NONE:
      return perms | EXECUTES;
    case S2XN.PRIVILEGED:
      return perms | USER_EXECUTE;
    case S2XN.UNPRIVILEGED:
      return perms | PRIVILEGED_EXECUTE;
    default:
      return perms;
  }
}

/** The WALK_PERM bit that an access needs. */
export function neededPerm(access: number): number {
  const privileged = (access & WALK_ACCESS.PRIVILEGED) !== 0;
  if ((access & WALK_ACCESS.WRITE) !== 0) return privileged ? PRIVILEGED_WRITE : USER_WRITE;
  if ((access & WALK_ACCESS.INSTRUCTION) !== 0) return privileged ? PRIVILEGED_EXECUTE : USER_EXECUTE;
  return privileged ? PRIVILEGED_READ : USER_READ;
}
