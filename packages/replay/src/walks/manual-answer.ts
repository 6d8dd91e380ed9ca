// SPDX-License-Identifier: Apache-2.0
// What the manual wants where QEMU does otherwise, as far as the recorder's note names it.

import { eventFields, pairText } from '../adapters/smmu-v3/event-record.js';
import type { EventFields } from '../adapters/smmu-v3/event-record.js';
import type { ArchitectureNote, WalkProbe } from './walks.js';

/**
 * Fields of the event record that a probe must have: `F_PERMISSION for read and write`, `F_TRANSLATION s1`, `same event type with
 * S2=1, CLASS=TT`, `recorded, S2=1`. Undefined where the note names no event for this direction.
 */
export function manualEvent(
  note: ArchitectureNote,
  streamId: number,
  { write, address, event }: WalkProbe,
): Partial<EventFields> | undefined {
  const { expected } = note;
  if (isUnrecorded(note)) return undefined;
  const direction = write ? 'write' : 'read';
  const only = /\bfor (?:the )?(read|write)\b(?! and\b| too\b)/.exec(expected)?.[1];
  if (only !== undefined && only !== direction) return undefined;
  const recorded = /\bsame event type\b/.test(expected) && event ? eventFields(event) : undefined;
  const name = recorded?.event ?? /\b[CF]_[A-Z_]+\b/.exec(expected)?.[0];
  const fields: Partial<EventFields> = {
    ...(name === undefined ? {} : { event: name }),
    ...stageIn(expected),
    ...classIn(expected),
  };
  if (Object.keys(fields).length === 0) return undefined;
  const isFault = name === undefined || name.startsWith('F_');
  return { ...fields, streamId, ...(isFault ? { direction, input: pairText(...address) } : {}) };
}

/** True where the note wants no record of a fault. */
export function isUnrecorded({ expected }: ArchitectureNote): boolean {
  return /\bnot recorded\b|\bno (?:event|record)\b/.test(expected);
}

/** The address that another must translate like: `translates like 0xffff800012345678`. */
export function manualTwin({ expected }: ArchitectureNote): string | undefined {
  return /\btranslates like (0x[0-9a-f]+)\b/.exec(expected)?.[1];
}

function stageIn(expected: string): Partial<EventFields> {
  const stage = /\b(?:s([12])|S2=([01]))\b/.exec(expected);
  return stage ? { stage2: stage[1] === '2' || stage[2] === '1' } : {};
}

function classIn(expected: string): Partial<EventFields> {
  const name = /\bCLASS=(IN|TT|CD)\b/.exec(expected)?.[1];
  return name === undefined ? {} : { class: name };
}
