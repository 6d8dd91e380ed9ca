// SPDX-License-Identifier: Apache-2.0
// Runs jest, keeps its results and ends with the line of totals.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../workspace/root.mjs';
import { resultsFile, totalsLine } from './totals.mjs';

export function runJest(suite, { config, env = {} }, args) {
  const results = resultsFile(suite);
  mkdirSync(dirname(results), { recursive: true });
  rmSync(results, { force: true });
  const jest = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/jest/bin/jest.js'),
      '--config',
      join(root, config),
      '--json',
      '--outputFile',
      results,
      ...args,
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } },
  );
  console.log(totalsLine([suite]));
  return jest.status ?? 1;
}
