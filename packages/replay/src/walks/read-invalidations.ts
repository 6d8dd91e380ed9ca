// SPDX-License-Identifier: Apache-2.0
// The invalidation oracle: which command drops which cached translation or configuration.

import type { JsonRecord } from '../capture/json-lines.js';
import { doublewordAt, siliconIn, tablesIn } from './walk-parts.js';
import type {
  InvalidationAnswer,
  InvalidationCase,
  InvalidationFile,
  InvalidationRun,
  Pair,
  WalkTables,
} from './walks.js';

/** What a case begins with that names no set of tables: the replacement of a CD. */
const DEFAULT_TABLES = 's1';

/** @throws CaptureError */
export function invalidationsIn(file: string, record: JsonRecord): InvalidationFile {
  const sets = record.record('tables');
  return {
    file,
    streamId: record.word('sid'),
    address: record.words('iova'),
    runs: record.records('runs').map((run) => runIn(run, sets)),
  };
}

function runIn(record: JsonRecord, sets: JsonRecord): InvalidationRun {
  const stages = record.string('smmu_stage_property');
  const config = record.integer('config');
  const own = sets.record(`${stages}/config${config}`);
  const tables = new Map(Object.keys(own.fields).map((name) => [name, tablesIn(own.record(name))]));
  const cases = record.records('cases').map((one) => caseIn(one, tables));
  return { stages, config, silicon: siliconIn(record.record('idr')), cases };
}

function caseIn(record: JsonRecord, sets: ReadonlyMap<string, WalkTables>): InvalidationCase {
  const tables = sets.get(record.has('table_set') ? record.string('table_set') : DEFAULT_TABLES);
  if (!tables) throw record.wrong('table_set', 'a set of tables of its run');
  return {
    change: record.string('change'),
    command: record.string('command'),
    commands: record.wordsLists('cmd_words', 2).map((words) => Uint32Array.from(words.flat())),
    commandError: record.integer('cerror'),
    stale: record.boolean(record.has('stale_entry_used') ? 'stale_entry_used' : 'old_configuration_used'),
    tables,
    ...(record.has('changed_word') ? { changed: changeIn(record) } : {}),
    before: record.record('before').address('pa'),
    after: answerIn(record.record('after')),
  };
}

function changeIn(record: JsonRecord): readonly [address: number, value: Pair] {
  const [, value] = record.wordsList('changed_word', 2);
  return [doublewordAt(record, String(record.list('changed_word')[0])), value];
}

function answerIn(record: JsonRecord): InvalidationAnswer {
  const result = record.oneOf('result', ['ok', 'bypass', 'abort', 'fault-not-recorded', 'fault']);
  if (result !== 'fault') return { pa: record.has('pa') ? record.address('pa') : -1 };
  const decoded = record.record('decoded');
  return {
    event: decoded.string('name'),
    streamId: decoded.word('sid'),
    direction: decoded.integer('rnw') === 1 ? 'read' : 'write',
    stage2: decoded.integer('s2') === 1,
    class: decoded.string('cls'),
    input: decoded.words('input_addr'),
  };
}
