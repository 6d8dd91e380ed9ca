// SPDX-License-Identifier: Apache-2.0
// Event records as text, and what of two of them is compared. Arm IHI 0070, section 7.3.

import { hex } from '@irqkit/bits';
import { layouts } from '@irqkit/smmu-v3';

const { EVENT, EVENT_CLASS, EVENT_NAMES, EVENT_NUMBER } = layouts;

const CLASS_NAMES = Object.entries(EVENT_CLASS);

/** Those with the fields of a transaction: direction, stage, class, input address. */
const FAULTS: readonly number[] = [
  EVENT_NUMBER.F_WALK_EABT,
  EVENT_NUMBER.F_TRANSLATION,
  EVENT_NUMBER.F_ADDR_SIZE,
  EVENT_NUMBER.F_ACCESS,
  EVENT_NUMBER.F_PERMISSION,
];
/** Those with the physical address that was fetched. */
const FETCHES: readonly number[] = [EVENT_NUMBER.F_STE_FETCH, EVENT_NUMBER.F_CD_FETCH, EVENT_NUMBER.F_WALK_EABT];

/** What a record says; fields that its event does not have are missing. */
export interface EventFields {
  readonly event: string;
  readonly streamId: number;
  readonly direction?: 'read' | 'write';
  readonly stage2?: boolean;
  /** `IN`, `TT` or `CD` */
  readonly class?: string;
  /** In hexadecimal: 64 bits. */
  readonly input?: string;
  /** Bits [51:12] of the address that stage 2 was asked for, where it faulted. */
  readonly ipa?: string;
  readonly fetched?: string;
}

export function eventFields(words: Uint32Array): EventFields {
  const number = EVENT.number(words);
  const common = { event: EVENT_NAMES[number] ?? `event ${hex(number)}`, streamId: EVENT.StreamID(words) };
  const fetched = FETCHES.includes(number) ? { fetched: hex(EVENT.FetchAddr(words)) } : {};
  if (!FAULTS.includes(number)) return { ...common, ...fetched };
  const stage2 = EVENT.S2(words) === 1;
  return {
    ...common,
    direction: EVENT.RnW(words) === 1 ? 'read' : 'write',
    stage2,
    class: className(EVENT.CLASS(words)),
    input: pairText(EVENT.InputAddrLow(words), EVENT.InputAddrHigh(words)),
    // UNKNOWN where stage 1 faults.
    ...(stage2 && number !== EVENT_NUMBER.F_WALK_EABT ? { ipa: hex(EVENT.IPA(words)) } : {}),
    ...fetched,
  };
}

export function className(value: number): string {
  return CLASS_NAMES.find(([, encoded]) => encoded === value)?.[0] ?? `${value}`;
}

/** 64 bits as `0x` and digits. */
export function pairText(lo: number, hi: number): string {
  return hi === 0 ? hex(lo) : `${hex(hi)}${lo.toString(16).padStart(8, '0')}`;
}

/** `F_ACCESS, StreamID 0x10, read, stage 1, CLASS IN, input 0x12345678`; of the fields in `named` alone, where that is given. */
export function eventText(fields: Partial<EventFields>, named: Partial<EventFields> = fields): string {
  const { event, streamId, direction, stage2, input, ipa, fetched } = fields;
  const parts: readonly (readonly [keyof EventFields, string])[] = [
    ['event', `${event}`],
    ['streamId', `StreamID ${hex(streamId ?? 0)}`],
    ['direction', `${direction}`],
    ['stage2', `stage ${stage2 ? 2 : 1}`],
    ['class', `CLASS ${fields.class}`],
    ['input', `input ${input}`],
    ['ipa', `IPA ${ipa}`],
    ['fetched', `fetched ${fetched}`],
  ];
  return parts
    .filter(([name]) => named[name] !== undefined)
    .map(([, text]) => text)
    .join(', ');
}
