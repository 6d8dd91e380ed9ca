// SPDX-License-Identifier: Apache-2.0
// What a transaction met on its way, until it is an event record or forgotten. Arm IHI 0070, section 7.3.

import { WALK_FAULT } from '@irqkit/pgtable/walk';
import { EVENT_CLASS, EVENT_NUMBER } from '../layouts.js';

/** One for a model, filled in place. `number` is 0 where a transaction is terminated without an event. */
export interface Fault {
  /** EVENT_NUMBER */
  number: number;
  s2: boolean;
  /** EVENT_CLASS */
  cls: number;
  /** Where `s2` is set: what stage 2 was asked for. */
  ipa: number;
  /** Of what could not be read. */
  fetchAddr: number;
  /** False where CD.R or STE.S2R suppresses the record. */
  recorded: boolean;
}

export function noFault(): Fault {
  return { number: 0, s2: false, cls: EVENT_CLASS.IN, ipa: 0, fetchAddr: 0, recorded: false };
}

/** A configuration error or a failed fetch, which is always recorded. Gives its number. */
export function setError(fault: Fault, number: number, fetchAddr = 0): number {
  fault.number = number;
  fault.s2 = false;
  fault.cls = EVENT_CLASS.IN;
  fault.ipa = 0;
  fault.fetchAddr = fetchAddr;
  fault.recorded = true;
  return number;
}

/** The event of a walk's WALK_FAULT. */
export function eventOfWalk(why: number): number {
  switch (why) {
    case WALK_FAULT.EXTERNAL_ABORT:
      return EVENT_NUMBER.F_WALK_EABT;
    case WALK_FAULT.ADDRESS_SIZE:
      return EVENT_NUMBER.F_ADDR_SIZE;
    case WALK_FAULT.ACCESS_FLAG:
      return EVENT_NUMBER.F_ACCESS;
    case WALK_FAULT.PERMISSION:
      return EVENT_NUMBER.F_PERMISSION;
    default:
      return EVENT_NUMBER.F_TRANSLATION;
  }
}
