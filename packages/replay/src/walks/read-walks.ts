// SPDX-License-Identifier: Apache-2.0
// A directory of recorded walks: every *.json has cases, or the runs of an invalidation oracle.

import { join } from 'node:path';
import { CaptureError } from '../capture/capture-error.js';
import { jsonFile, JsonRecord } from '../capture/json-lines.js';
import { filesOf, readFile } from '../capture/read-file.js';
import { invalidationsIn } from './read-invalidations.js';
import { ramAddressIn, siliconIn, tablesIn } from './walk-parts.js';
import type { Pair, WalkCase, WalkFile, WalkProbe, WalkResult, Walks } from './walks.js';

const STRUCTURE_BYTES = 64;

const RESULTS: readonly string[] = [
  'ok',
  'bypass',
  'smmu-disabled',
  'abort',
  'fault',
  'fault-not-recorded',
] satisfies readonly WalkResult[];
const WENT_SOMEWHERE: readonly string[] = ['ok', 'bypass', 'smmu-disabled'];

/**
 * Reads every recorded walk of a directory.
 * @throws CaptureError for what is missing or malformed, with the file and the place in it
 */
export function readWalks(dir: string): Walks {
  const records = filesOf(dir)
    .filter((name) => name.endsWith('.json'))
    .map((file) => ({ file, record: fileRecord(join(dir, file)) }));
  if (records.length === 0) throw new CaptureError(dir, 'no recorded walks: no .json file');
  const [oracles, walks] = [true, false].map((has) => records.filter(({ record }) => record.has('runs') === has));
  return {
    dir,
    walks: walks.map(({ file, record }) => walksIn(file, record)),
    invalidations: oracles.map(({ file, record }) => invalidationsIn(file, record)),
  };
}

function fileRecord(path: string): JsonRecord {
  return new JsonRecord(path, jsonFile(path, readFile(path).toString('utf8')));
}

function walksIn(file: string, record: JsonRecord): WalkFile {
  return {
    file,
    silicon: siliconIn(record.record('idr')),
    registers: registersIn(record.record('default_registers')),
    cases: record.records('cases').map(caseIn),
  };
}

/** `0x8 (linear, 256 STEs)` is 0x8; a register said to be as after `reset` is left alone. */
function registersIn(record: JsonRecord): Readonly<Record<string, Pair>> {
  const written = Object.keys(record.fields).filter((name) => record.get(name) !== 'reset');
  return Object.fromEntries(written.map((name) => [name, record.words(name, /^(\S+) \(.*\)$/)]));
}

function caseIn(record: JsonRecord): WalkCase {
  const note = record.has('architecture') ? record.record('architecture') : undefined;
  const differs = note?.get('differs') === true;
  return {
    name: record.string('name'),
    stages: record.string('smmu_stage_property'),
    streamId: record.word('sid'),
    stePa: ramAddressIn(record, 'ste_pa', STRUCTURE_BYTES),
    ...(record.has('cd_pa') ? { cdPa: ramAddressIn(record, 'cd_pa', STRUCTURE_BYTES) } : {}),
    tables: tablesIn(record),
    registers: record.has('registers') ? registersIn(record.record('registers')) : {},
    ...(note && differs ? { differs: { why: note.string('why'), expected: note.string('expected') } } : {}),
    probes: record.records('probes').map(probeIn),
  };
}

function probeIn(record: JsonRecord): WalkProbe {
  const result = record.oneOf('result', RESULTS) as WalkResult;
  return {
    write: record.oneOf('op', ['read', 'write']) === 'write',
    address: record.words('iova'),
    result,
    ...(WENT_SOMEWHERE.includes(result) ? { pa: record.address('pa') } : {}),
    ...(result === 'ok' ? { perm: record.oneOf('perm', ['r', 'w', 'rw']) } : {}),
    ...(result === 'fault' ? { event: Uint32Array.from(record.wordsList('event', 4).flat()) } : {}),
  };
}
