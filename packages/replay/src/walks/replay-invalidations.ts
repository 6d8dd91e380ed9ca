// SPDX-License-Identifier: Apache-2.0
// The invalidation oracle made again: an access, a change of the tables, commands, the same access. What a command matches
// must be gone; what it does not match may be gone too.

import { regs } from '@irqkit/smmu-v3';
import { eventText, pairText } from '../adapters/smmu-v3/event-record.js';
import type { Tally } from '../report/tally.js';
import { changeOf } from './changes.js';
import { illegalByManual } from './command-departures.js';
import { RECORDED_REGISTERS, recordedPlaces } from './recorded-places.js';
import { answerOf, answerText } from './walk-answer.js';
import { WalkMachine } from './walk-machine.js';
import type { InvalidationCase, InvalidationFile, InvalidationRun } from './walks.js';

const PRIMED = 'answers before invalidation';
const REMOVED = 'entries removed by matching commands';
const OTHERS = 'answers after other commands';
const ERRORS = 'command errors';

export function replayInvalidations(tally: Tally, file: InvalidationFile): void {
  for (const kind of [PRIMED, REMOVED, OTHERS, ERRORS]) tally.expect(kind);
  for (const run of file.runs) for (const one of run.cases) replayCase(tally, file, run, one);
}

function replayCase(tally: Tally, file: InvalidationFile, run: InvalidationRun, one: InvalidationCase): void {
  const { streamId, address } = file;
  const change = changeOf(run, one, streamId);
  if (!change) {
    tally.notCovered(REMOVED, `the recording does not have what replaces the tables: ${one.change}`);
    return;
  }
  const { stePa, cdPa } = recordedPlaces(one.tables.ste, streamId);
  const { silicon } = run;
  const machine = new WalkMachine({ silicon, registers: RECORDED_REGISTERS, tables: one.tables, stePa, cdPa });
  try {
    const where = { file: file.file };
    const place = `stage ${run.stages}, Config ${run.config}, ${one.change}: ${one.command}`;
    machine.invalidateAll();
    const before = answerText(answerOf(machine, streamId, address, true));
    tally.compare(PRIMED, where, place, answerText({ pa: one.before, event: undefined }), before);
    change(machine);
    const isIllegal = compareError(tally, run, one, { file: file.file, place }, machine.run(...one.commands));
    const after = answerOf(machine, streamId, address, true);
    const got = after.event ? eventText(after.event, { ...after.event, ipa: undefined }) : answerText(after);
    const mayStay = one.stale || (isIllegal && got !== afterText(one));
    if (mayStay) tally.compare(OTHERS, where, place, staleText(run, one, got), got);
    else tally.compare(REMOVED, where, place, afterText(one), got);
  } finally {
    machine.dispose();
  }
}

/** True for a command that does nothing by the manual, whatever QEMU made of it. */
function compareError(
  tally: Tally,
  { silicon }: InvalidationRun,
  { command, commands, commandError }: InvalidationCase,
  { file, place }: { readonly file: string; readonly place: string },
  got: number,
): boolean {
  const illegal = commands.map((words) => illegalByManual(words, silicon)).find((found) => found);
  const departs = illegal !== undefined && commandError === 0 && got === regs.CERROR.ILL;
  if (departs) tally.departs(`${file}: ${command}`, illegal.why, illegal.section);
  else tally.compare(ERRORS, { file }, place, commandError, got);
  return departs;
}

/** Staleness is allowed, never required: what any command of the same change brought forth is as good. */
function staleText(run: InvalidationRun, { change, before }: InvalidationCase, got: string): string {
  const fresh = run.cases.filter((other) => other.change === change && !other.stale).map(afterText);
  const allowed = [answerText({ pa: before, event: undefined }), ...new Set(fresh)];
  return allowed.includes(got) ? got : allowed.join(' or ');
}

function afterText({ after }: InvalidationCase): string {
  if ('pa' in after) return answerText({ pa: after.pa, event: undefined });
  return eventText({ ...after, input: pairText(...after.input) });
}
