// SPDX-License-Identifier: Apache-2.0
// Fault records: QEMU's trace has the event and the StreamID, the event queue in a snapshot has the whole record.

import { layouts } from '@irqkit/smmu-v3';
import type { CapturedEvent } from '../../capture/capture.js';
import type { ReplaySession } from '../../replay-session.js';
import { eventFields, eventText } from './event-record.js';
import type { SmmuUnit } from './smmu-unit.js';

const { EVENT } = layouts;

export const FAULTS = 'SMMU fault records';

/** Makes the recorded fault again and compares what the model writes into its event queue. */
export function compareFault(session: ReplaySession, unit: SmmuUnit, event: CapturedEvent): void {
  const { tally } = session;
  const index = unit.eventProd;
  const address = unit.eventAddress(index);
  const words = new Uint32Array(EVENT.bytes / 4);
  const known = session.ramAfter(event.n)?.load(address, new Uint8Array(words.buffer)) ?? false;
  const recorded = eventFields(words);
  const traced = /^SMMU_EVT_(\w+) sid=(0x[0-9a-f]+)$/.exec(event.text);
  if (!known || recorded.event !== traced?.[1] || recorded.streamId !== Number(traced[2])) {
    tally.notCovered(FAULTS, 'no snapshot of RAM has the record');
    return;
  }
  const input = [EVENT.InputAddrLow(words), EVENT.InputAddrHigh(words)] as const;
  unit.translate(recorded.streamId, input, EVENT.RnW(words) === 0);
  const written = unit.eventProd === index ? undefined : unit.load(address, EVENT.bytes);
  const got = written && eventFields(written);
  const { class: recordedClass, ...compared } = recorded;
  tally.compare(FAULTS, event, 'event queue', eventText(compared), got ? eventText(got, compared) : 'no record');
  if (got && got.class !== recordedClass)
    tally.departs(
      `CLASS of ${recorded.event}`,
      `QEMU writes ${recordedClass}, the model ${got.class}: what faulted was no fetch but the access, the input of its stage`,
      'Arm IHI 0070, 7.3.13 "F_TRANSLATION"',
    );
}
