// SPDX-License-Identifier: Apache-2.0
// How one access ended, in the machine and in QEMU, in the same words.

import { hex } from '@irqkit/bits';
import { layouts } from '@irqkit/smmu-v3';
import { eventFields, eventText, pairText } from '../adapters/smmu-v3/event-record.js';
import type { EventFields } from '../adapters/smmu-v3/event-record.js';
import type { WalkMachine } from './walk-machine.js';
import type { Pair, WalkCase, WalkProbe } from './walks.js';

const { EVENT, EVENT_NUMBER } = layouts;

/** What a machine made of an access. */
export interface WalkAnswer {
  /** Negative where it faulted. */
  readonly pa: number;
  readonly event: EventFields | undefined;
}

export function answerOf(machine: WalkMachine, streamId: number, address: Pair, write: boolean): WalkAnswer {
  const pa = machine.unit.translate(streamId, address, write);
  const [event, second] = machine.takeEvents();
  const fields = event && eventFields(event);
  return { pa, event: second && fields ? { ...fields, event: `${fields.event} and another` } : fields };
}

/** `-> 0x46010678`, the event, or `aborted, no event`. */
export function answerText({ pa, event }: WalkAnswer): string {
  if (event) return eventText(event);
  return pa < 0 ? 'aborted, no event' : `-> ${hex(pa)}`;
}

/** What QEMU made of a probe. */
export function recordedAnswer({ pa, event }: WalkProbe): WalkAnswer {
  return { pa: pa ?? -1, event: event && eventFields(inPlace(event)) };
}

/** True where QEMU's IPA says more than its field has. */
export function hasPageOffset(event: Uint32Array): boolean {
  return eventFields(event).ipa !== undefined && event[6] % 0x1000 !== 0;
}

/** True where QEMU has the address of a failed STE or CD fetch in another place than the manual. */
export function isMisplaced(event: Uint32Array): boolean {
  const number = EVENT.number(event);
  const fetches = number === EVENT_NUMBER.F_STE_FETCH || number === EVENT_NUMBER.F_CD_FETCH;
  return fetches && EVENT.FetchAddr(event) === 0 && (event[4] !== 0 || event[5] !== 0);
}

function inPlace(event: Uint32Array): Uint32Array {
  if (!isMisplaced(event)) return event;
  const moved = event.slice();
  moved.copyWithin(6, 4, 6);
  moved.fill(0, 4, 6);
  return moved;
}

/** `page: read 0x12345678` */
export function probeText({ name }: WalkCase, { write, address }: WalkProbe): string {
  return `${name}: ${write ? 'write' : 'read'} ${pairText(...address)}`;
}
