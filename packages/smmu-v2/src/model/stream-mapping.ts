// SPDX-License-Identifier: Apache-2.0
// From a StreamID to its stream group: matched by the SMRs, or its index. Arm IHI 0062, "Stream mapping".

import { S2CR, SMR, SMR_EXTENDED } from '../regs.js';
import type { SmmuRegisters } from './smmu-registers.js';

/** In the place of a group: no group has the stream; more than one has it. */
export const UNMATCHED = -1;
export const CONFLICT = -2;

// CHOICE: a StreamID of more bits than the SMMU has is in no group.
export function groupOf(sid: number, registers: SmmuRegisters): number {
  const { streamMatching, sidBits, nrStreamGroups } = registers.parameters;
  const extended = registers.extendedIds;
  if (sid < 0 || sid >= 2 ** (extended ? 16 : sidBits)) return UNMATCHED;
  if (!streamMatching) return sid < nrStreamGroups ? sid : UNMATCHED;
  let found = UNMATCHED;
  // CHOICE: every conflict is detected, also where IDR1.SMCD does not promise it.
  for (let group = 0; group < nrStreamGroups; group++) {
    if (!matches(sid, registers.smr[group], registers.s2cr[group], extended)) continue;
    if (found !== UNMATCHED) return CONFLICT;
    found = group;
  }
  return found;
}

function matches(sid: number, smr: number, s2cr: number, extended: boolean): boolean {
  if (extended)
    return S2CR.EXIDVALID(s2cr) === 1 && ((sid ^ SMR_EXTENDED.ID(smr)) & ~SMR_EXTENDED.MASK(smr) & 0xffff) === 0;
  return SMR.VALID(smr) === 1 && ((sid ^ SMR.ID(smr)) & ~SMR.MASK(smr) & 0x7fff) === 0;
}
