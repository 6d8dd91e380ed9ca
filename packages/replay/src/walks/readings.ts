// SPDX-License-Identifier: Apache-2.0
// Where we read the manual otherwise than QEMU answers and the recorder does not say so: recognised by what the tables hold.

import { layouts, regs } from '@irqkit/smmu-v3';
import type { EventFields } from '../adapters/smmu-v3/event-record.js';
import { recordedAnswer } from './walk-answer.js';
import type { Pair, WalkCase, WalkFile, WalkProbe } from './walks.js';

const { L1STD, STE } = layouts;
const { IDR1, STRTAB_BASE, STRTAB_BASE_CFG, STRTAB_FMT } = regs;

/** Spans above are reserved: 2^(Span - 1) entries, at most 2^SPLIT of them. */
const LARGEST_SPAN = 11;

export interface Reading {
  /** The event there must be; missing where the access must end as it would with STE.S1CDMax 0. */
  readonly event?: EventFields;
  readonly why: string;
  readonly section: string;
}

export function readingOf(file: WalkFile, one: WalkCase, probe: WalkProbe): Reading | undefined {
  const { event } = recordedAnswer(probe);
  const direction = probe.write ? 'write' : 'read';
  const isFetch = event?.class === 'CD' || event?.class === 'TT';
  if (event?.direction !== undefined && event.direction !== direction && isFetch)
    return {
      event: { ...event, direction },
      why: 'RnW is of the transaction, also where the fetch of its CD or of a table faults: QEMU writes that of the fetch',
      section: 'Arm IHI 0070, 7.3.12 "F_WALK_EABT", 7.3.13 "F_TRANSLATION"',
    };
  const span = spanOf({ ...file.registers, ...one.registers }, one);
  if (event?.event !== 'C_BAD_STREAMID' && span && span.value > Math.min(span.split + 1, LARGEST_SPAN))
    return {
      event: { event: 'C_BAD_STREAMID', streamId: one.streamId },
      why: `L1STD.Span ${span.value} is above SPLIT + 1 = ${span.split + 1}: QEMU translates`,
      section: 'Arm IHI 0070, 7.3.3 "C_BAD_STREAMID"',
    };
  if (event?.event === 'C_BAD_STE' && STE.S1CDMax(one.tables.ste) > 0 && IDR1.SSIDSIZE(file.silicon.IDR1 ?? 0) === 0)
    return {
      why: `STE.S1CDMax is IGNORED where IDR1.SSIDSIZE is 0: QEMU says C_BAD_STE`,
      section: 'Arm IHI 0070, 5.2 "Stream Table Entry"',
    };
  return undefined;
}

function spanOf(
  registers: Readonly<Record<string, Pair>>,
  { streamId, tables }: WalkCase,
): { readonly value: number; readonly split: number } | undefined {
  const [config] = registers.STRTAB_BASE_CFG ?? [0];
  if (STRTAB_BASE_CFG.FMT(config) !== STRTAB_FMT.TWO_LEVEL) return undefined;
  const split = STRTAB_BASE_CFG.SPLIT(config);
  const base = STRTAB_BASE.ADDR(Uint32Array.from(registers.STRTAB_BASE ?? [0, 0]));
  const descriptor = tables.ram.get(base + Math.floor(streamId / 2 ** split) * L1STD.bytes);
  return descriptor && { value: L1STD.Span(Uint32Array.from(descriptor)), split };
}

/** The same case with one CD, as a reading of S1CDMax wants it. */
export function withoutSubstreams(one: WalkCase): WalkCase {
  const ste = one.tables.ste.slice();
  STE.S1CDMax.put(ste, 0);
  return { ...one, tables: { ...one.tables, ste } };
}
