// SPDX-License-Identifier: Apache-2.0
// A recording of VFIO calls on a real kernel: one call to a line, with what went in, the result, and what came out.

import { jsonLines } from '../capture/json-lines.js';
import type { JsonRecord } from '../capture/json-lines.js';
import { readFile } from '../capture/read-file.js';
import { CaptureError } from '../capture/capture-error.js';

export interface VfioRecord {
  readonly file: string;
  readonly line: number;
  /** Position in its scenario; missing where the recorder's shell did something. */
  readonly n: number | undefined;
  readonly scenario: string;
  readonly call: string;
  /** What the recorder calls the descriptor: `c1`, `g7`, `0000:00:06.0`. */
  readonly object: string;
  readonly input: JsonRecord;
  readonly ret: number;
  /** `EINVAL`; empty where the call succeeded. */
  readonly errname: string;
  readonly output: JsonRecord;
  readonly note: string;
}

/** Every call in order; headings between them are left out. @throws CaptureError, with the line */
export function readRecording(path: string): readonly VfioRecord[] {
  const text = readFile(path).toString('utf8');
  const records = jsonLines(path, text)
    .filter(({ record }) => !record.has('section'))
    .map(({ line, record }) => ({
      file: path,
      line,
      n: record.has('n') ? record.integer('n') : undefined,
      scenario: record.string('scenario'),
      call: record.string('call'),
      object: record.has('obj') ? record.string('obj') : '',
      input: record.record('in'),
      ret: record.integer('ret'),
      errname: record.has('errname') ? record.string('errname') : '',
      output: record.record('out'),
      note: record.has('note') ? record.string('note').trim() : '',
    }));
  if (records[0]?.call !== 'meta')
    throw new CaptureError(`${path}:1`, 'no VFIO recording: its first line is no "meta"');
  return records;
}
