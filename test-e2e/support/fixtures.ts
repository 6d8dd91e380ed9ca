// SPDX-License-Identifier: Apache-2.0
// The recordings that come with the repository, unpacked where they are needed.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));

const scratch = mkdtempSync(join(tmpdir(), 'irqkit-e2e-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A new folder, gone after the tests, with the files of `fixtures/<name>`. */
export function unpackFixture(name: string): string {
  const target = mkdtempSync(join(scratch, `${name}-`));
  for (const file of readdirSync(join(fixtures, name)))
    writeFileSync(join(target, file.replace(/\.gz$/, '')), gunzipSync(readFileSync(join(fixtures, name, file))));
  return target;
}

/** The objects of a file with one on each line. */
export function readJsonLines<T>(path: string): T[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
