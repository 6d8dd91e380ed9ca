// SPDX-License-Identifier: Apache-2.0
// Runs jest, records its results and ends with the line of totals.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../workspace/root.mjs';
import { resultsFolder, totalsLine } from './totals.mjs';

export function runJest(suite, { config, env = {} }, args) {
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const results = join(resultsFolder, `${suite}.json`);
  const { status } = spawnSync(
    process.execPath,
    [jest, '--config', join(root, config), '--json', '--outputFile', results, ...args],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } },
  );
  console.log(totalsLine(resultsFolder, [suite]));
  return status ?? 1;
}
