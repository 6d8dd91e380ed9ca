// SPDX-License-Identifier: Apache-2.0
// One line of counts over recorded jest runs. A test file that does not even load counts as one failure, and so does a
// run that recorded nothing.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from '../workspace/root.mjs';

export const resultsFolder = join(cache, 'results');

export function totalsLine(folder, suites) {
  const runs = suites.map((suite) => countsOf(join(folder, `${suite}.json`)));
  const sum = (key) => runs.reduce((total, run) => total + run[key], 0);
  return `${sum('passed')} passed, ${sum('failed')} failed`;
}

function countsOf(file) {
  if (!existsSync(file)) return { passed: 0, failed: 1 };
  const run = JSON.parse(readFileSync(file, 'utf8'));
  return { passed: run.numPassedTests, failed: run.numFailedTests + run.numRuntimeErrorTestSuites };
}
