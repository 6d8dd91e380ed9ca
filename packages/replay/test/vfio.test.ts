// SPDX-License-Identifier: Apache-2.0
// What is said of recordings of VFIO calls that cannot be played.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CaptureError, replayPath, replayVfio } from '@irqkit/replay';

const META = JSON.stringify({
  scenario: 'shell',
  call: 'meta',
  in: {},
  ret: 0,
  out: { uname: '6.1.0', allow_unsafe_interrupts: 'N', disable_hugepages: 'N', dma_entry_limit: '65535' },
});

describe('a recording that cannot be played', () => {
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'irqkit-vfio-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const failure = (work: () => unknown): CaptureError => {
    try {
      work();
    } catch (error) {
      if (error instanceof CaptureError) return error;
      throw error;
    }
    throw new Error('nothing was thrown');
  };
  const written = (...lines: readonly string[]): string => {
    const path = join(dir, 'X.jsonl');
    writeFileSync(path, lines.join('\n'));
    return path;
  };

  test.each([
    ['no first line about the machine', ['{"scenario":"a","call":"open","in":{},"ret":0,"out":{}}'], ':1', /"meta"/],
    ['no JSON', [META, '{"n":'], ':2', /^not JSON$/],
    [
      'a call without a result',
      [META, '{"n":0,"scenario":"a","call":"open","in":{},"out":{}}'],
      ':2',
      /"ret" is missing/,
    ],
    ['input that is no object', [META, '{"n":0,"scenario":"a","call":"open","in":3,"ret":0}'], ':2: in', /object/],
  ])('%s', (_, lines, place, reason) => {
    const path = written(...lines);
    const error = failure(() => replayVfio(path));
    expect(error.place).toBe(path + place);
    expect(error.reason).toMatch(reason);
  });

  test('a file that is not there', () => {
    const path = join(dir, 'none.jsonl');
    expect(failure(() => replayPath(path))).toMatchObject({ place: path, reason: 'no such file or directory' });
  });

  test('its boot is looked for beside it, or where it is said to be', () => {
    const path = written(META);
    expect(failure(() => replayPath(path)).place).toBe(join(dir, '..', 'boots', 'X'));
    const bootDir = join(dir, 'elsewhere');
    expect(failure(() => replayPath(path, { bootDir })).place).toBe(bootDir);
    mkdirSync(bootDir);
    expect(failure(() => replayPath(path, { bootDir })).place).toBe(join(bootDir, 'platform.dtb'));
  });
});
