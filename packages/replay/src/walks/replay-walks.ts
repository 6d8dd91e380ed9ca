// SPDX-License-Identifier: Apache-2.0
// Recorded walks made again: each case on an SMMU of its own, each answer beside QEMU's, or beside the manual's where the
// recorder marked that QEMU departs from it.

import { LinuxError } from '@irqkit/core';
import { CaptureError } from '../capture/capture-error.js';
import type { ReplayReport } from '../report/replay-report.js';
import { Tally } from '../report/tally.js';
import { eventText, pairText } from '../adapters/smmu-v3/event-record.js';
import { replayInvalidations } from './replay-invalidations.js';
import { concatenatedLookup } from './concatenated-lookup.js';
import { isUnrecorded, manualEvent, manualTwin } from './manual-answer.js';
import { sectionFor } from './manual-sections.js';
import { readingOf, withoutSubstreams } from './readings.js';
import type { Reading } from './readings.js';
import { answerOf, answerText, hasPageOffset, isMisplaced, probeText, recordedAnswer } from './walk-answer.js';
import type { WalkAnswer } from './walk-answer.js';
import { WalkMachine } from './walk-machine.js';
import type { ArchitectureNote, WalkCase, WalkFile, WalkProbe, Walks } from './walks.js';

const KINDS: Readonly<Record<string, string>> = {
  1: 'stage 1 probes',
  2: 'stage 2 probes',
  nested: 'nested probes',
};
const BY_THE_MANUAL = 'probes where QEMU departs from the manual';
const OUR_READING = 'probes where we read the manual otherwise';

/** @throws CaptureError for a case that no machine can be made of */
export function replayWalks({ dir, walks, invalidations }: Walks): ReplayReport {
  const tally = new Tally();
  if (walks.length > 0) for (const kind of [...Object.values(KINDS), BY_THE_MANUAL, OUR_READING]) tally.expect(kind);
  for (const file of walks) for (const one of file.cases) replayCase(tally, dir, file, one);
  for (const file of invalidations) replayInvalidations(tally, file);
  return tally.report(dir);
}

function replayCase(tally: Tally, dir: string, file: WalkFile, one: WalkCase): void {
  const machine = ofCase(dir, file, one, () => machineOf(file, one));
  try {
    for (const probe of one.probes) {
      const reading = one.differs ? undefined : readingOf(file, one, probe);
      if (one.differs) compareWithManual(tally, file, one, one.differs, machine, probe);
      else if (reading) compareReading(tally, file, one, machine, probe, reading);
      else compareWithQemu(tally, file, one, machine, probe);
    }
  } finally {
    machine.dispose();
  }
}

function ofCase<T>(dir: string, { file }: WalkFile, { name }: WalkCase, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!LinuxError.is(error)) throw error;
    throw new CaptureError(`${dir}/${file}: ${name}`, error.message, { cause: error });
  }
}

function compareWithQemu(tally: Tally, file: WalkFile, one: WalkCase, machine: WalkMachine, probe: WalkProbe): void {
  const { address, event } = probe;
  const answer = ask(machine, one.streamId, probe);
  const got = [answerText(answer)];
  const expected = [answerText(recordedAnswer(probe))];
  const perm = permissionOf(tally, one, probe);
  if (perm !== undefined) {
    expected.push(perm);
    got.push(answer.pa < 0 ? '' : machine.unit.permission(one.streamId, address));
    machine.takeEvents();
  }
  const kind = KINDS[one.stages] ?? `probes of stage ${one.stages}`;
  tally.compare(kind, file, probeText(one, probe), expected.join(' '), got.join(' ').trimEnd());
  if (event && hasPageOffset(event))
    tally.departs(
      'IPA of event records',
      'bits [51:12] of it are compared: QEMU writes the offset in the page too',
      'Arm IHI 0070, 7.3.13 "F_TRANSLATION"',
    );
  if (event && isMisplaced(event))
    tally.departs(
      'FetchAddr of F_STE_FETCH and F_CD_FETCH',
      'QEMU writes it at bits [191:128] of the record',
      'Arm IHI 0070, 7.3.4 "F_STE_FETCH", 7.3.10 "F_CD_FETCH"',
    );
}

/**
 * What a leaf lets through. Of two stages QEMU traces stage 1's leaf alone: a probe that faults the other way says what is
 * left of it.
 */
function permissionOf(tally: Tally, { stages, probes }: WalkCase, { address, perm }: WalkProbe): string | undefined {
  if (perm === undefined || stages !== 'nested') return perm;
  const same = probes.filter((other) => pairText(...other.address) === pairText(...address));
  const left = [...perm].filter((one) => !same.some(({ write, event }) => event && write === (one === 'w'))).join('');
  if (left !== perm)
    tally.notCovered('permission of both stages', 'QEMU traces that of stage 1: cut to what it let through');
  return left;
}

function compareReading(
  tally: Tally,
  file: WalkFile,
  one: WalkCase,
  machine: WalkMachine,
  probe: WalkProbe,
  reading: Reading,
): void {
  const { event, why, section } = reading;
  const { streamId, name } = one;
  tally.departs(`${file.file}: ${name}`, why, section);
  const got = answerText(ask(machine, streamId, probe));
  const expected = event ? eventText(event) : answerWithoutSubstreams(file, one, probe);
  tally.compare(OUR_READING, file, probeText(one, probe), expected, got);
}

function answerWithoutSubstreams(file: WalkFile, one: WalkCase, probe: WalkProbe): string {
  const machine = machineOf(file, withoutSubstreams(one));
  try {
    return answerText(ask(machine, one.streamId, probe));
  } finally {
    machine.dispose();
  }
}

function compareWithManual(
  tally: Tally,
  file: WalkFile,
  one: WalkCase,
  note: ArchitectureNote,
  machine: WalkMachine,
  probe: WalkProbe,
): void {
  tally.departs(`${file.file}: ${one.name}`, `${note.why}; by the manual: ${note.expected}`, sectionFor(note));
  const answer = ask(machine, one.streamId, probe);
  const wanted = manualEvent(note, one.streamId, probe);
  const place = probeText(one, probe);
  if (wanted) {
    const got = answer.event ? eventText(answer.event, wanted) : answerText(answer);
    tally.compare(BY_THE_MANUAL, file, place, eventText(wanted), got);
    return;
  }
  const expected = manualText(one, note, probe);
  if (expected === undefined) tally.notCovered(BY_THE_MANUAL, `the recording names no answer but: ${note.expected}`);
  else tally.compare(BY_THE_MANUAL, file, place, expected, answerText(answer));
}

/** The answer where the note names no event for the probe; undefined where it says nothing that can be told. */
function manualText({ probes, tables }: WalkCase, note: ArchitectureNote, probe: WalkProbe): string | undefined {
  if (isUnrecorded(note)) return answerText({ pa: -1, event: undefined });
  const twin = manualTwin(note);
  if (twin !== undefined) {
    const like = probes.find(({ address, write }) => pairText(...address) === twin && write === probe.write);
    return answerText(recordedAnswer(like ?? probe));
  }
  if (/concatenat/i.test(`${note.why} ${note.expected}`))
    return answerText({ pa: concatenatedLookup(tables, probe.address), event: undefined });
  return /\b[CF]_[A-Z_]+\b/.test(note.expected) ? answerText(recordedAnswer(probe)) : undefined;
}

function ask(machine: WalkMachine, streamId: number, { address, write }: WalkProbe): WalkAnswer {
  machine.invalidateAll();
  return answerOf(machine, streamId, address, write);
}

function machineOf({ silicon, registers }: WalkFile, { tables, stePa, cdPa, registers: own }: WalkCase): WalkMachine {
  return new WalkMachine({ silicon, registers: { ...registers, ...own }, tables, stePa, cdPa });
}
