// SPDX-License-Identifier: Apache-2.0
// What a leaf lets through, for every combination of the bits that say so. Arm DDI 0487, chapter D8, "Memory access control":
// "Direct permissions", "Hierarchical control" and "Stage 2".

import { AP, HIGH_WORD, LOW_WORD, S2AP, S2XN } from '../descriptors.js';
import type { RegimeOptions } from './regime.js';
import { WALK_ACCESS, WALK_PERM } from './walk-result.js';

const { USER_READ, USER_WRITE, USER_EXECUTE, PRIVILEGED_READ, PRIVILEGED_WRITE, PRIVILEGED_EXECUTE } = WALK_PERM;
const USER_DATA = USER_READ | USER_WRITE;
const PRIVILEGED_DATA = PRIVILEGED_READ | PRIVILEGED_WRITE;
const WRITES = USER_WRITE | PRIVILEGED_WRITE;
const EXECUTES = USER_EXECUTE | PRIVILEGED_EXECUTE;

/** A stage 1 key, direct and hierarchical permissions together: APTable is in it as it is, AP with its lower bit inverted. */
const KEY1 = { NO_UNPRIVILEGED: 1, READ_ONLY: 2, PXN: 4, UXN: 8 } as const;
const KEY_SHIFT_XN = 2;
const NR_KEYS = 16;

type Rules = Pick<RegimeOptions, 'stage' | 'wxn' | 'pan' | 'onePrivilege' | 'xnx'>;

/** Rules of a regime as an index. */
const RULE = { WXN: 1, PAN: 2, ONE_PRIVILEGE: 4, STAGE2: 8, XNX: 9 } as const;
const NR_RULES = 10;

/** WALK_PERM bits by the rules of a regime and the key of a leaf. */
export const PERMS = Uint8Array.from({ length: NR_RULES * NR_KEYS }, (_, at) => {
  const [rules, key] = [Math.floor(at / NR_KEYS), at % NR_KEYS];
  return rules < RULE.STAGE2 ? stage1Perms(rules, key) : stage2Perms(rules === RULE.XNX, key);
});

/** Where the permissions of a regime begin in PERMS. */
export function permsOf({ stage, wxn, pan, onePrivilege, xnx }: Rules): number {
  const rules1 = (wxn ? RULE.WXN : 0) | (pan ? RULE.PAN : 0) | (onePrivilege ? RULE.ONE_PRIVILEGE : 0);
  const rules2 = xnx ? RULE.XNX : RULE.STAGE2;
  return (stage === 1 ? rules1 : rules2) * NR_KEYS;
}

/** `lo` and `hi` are the leaf's words; `tables`: the high words of all table descriptors above it, or-ed. */
export function stage1Key(lo: number, hi: number, tables: number): number {
  const data = (LOW_WORD.AP(lo) ^ AP.RW) | HIGH_WORD.APTable(tables);
  return data | ((HIGH_WORD.XN(hi) | HIGH_WORD.XNTables(tables)) << KEY_SHIFT_XN);
}

export function stage2Key(lo: number, hi: number): number {
  return LOW_WORD.S2AP(lo) | (HIGH_WORD.XN(hi) << KEY_SHIFT_XN);
}

/** The WALK_PERM bit that an access needs, by its WALK_ACCESS bits. */
export const NEEDED_PERMS = Uint8Array.from({ length: 8 }, (_, access) => neededPerm(access));

function stage1Perms(rules: number, key: number): number {
  const wxn = (rules & RULE.WXN) !== 0;
  const readOnly = (key & KEY1.READ_ONLY) !== 0;
  const uxn = (key & KEY1.UXN) !== 0;
  let perms = PRIVILEGED_DATA | USER_DATA | EXECUTES;
  if (readOnly) perms &= ~WRITES;
  if (uxn) perms &= ~USER_EXECUTE;
  if ((rules & RULE.ONE_PRIVILEGE) !== 0) {
    if (uxn || (wxn && !readOnly)) perms &= ~EXECUTES;
    return perms;
  }
  const unprivileged = (key & KEY1.NO_UNPRIVILEGED) === 0;
  if (!unprivileged) perms &= ~USER_DATA;
  if ((key & KEY1.PXN) !== 0 || (perms & USER_WRITE) !== 0) perms &= ~PRIVILEGED_EXECUTE;
  if (wxn) {
    if ((perms & USER_WRITE) !== 0) perms &= ~USER_EXECUTE;
    if ((perms & PRIVILEGED_WRITE) !== 0) perms &= ~PRIVILEGED_EXECUTE;
  }
  if ((rules & RULE.PAN) !== 0 && unprivileged) perms &= ~PRIVILEGED_DATA;
  return perms;
}

function stage2Perms(xnx: boolean, key: number): number {
  let perms = 0;
  if ((key & S2AP.READ) !== 0) perms |= USER_READ | PRIVILEGED_READ;
  if ((key & S2AP.WRITE) !== 0) perms |= WRITES;
  const xn = key >> KEY_SHIFT_XN;
  switch (xnx ? xn : xn & S2XN.ALL) {
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

function neededPerm(access: number): number {
  const privileged = (access & WALK_ACCESS.PRIVILEGED) !== 0;
  if ((access & WALK_ACCESS.WRITE) !== 0) return privileged ? PRIVILEGED_WRITE : USER_WRITE;
  if ((access & WALK_ACCESS.INSTRUCTION) !== 0) return privileged ? PRIVILEGED_EXECUTE : USER_EXECUTE;
  return privileged ? PRIVILEGED_READ : USER_READ;
}
