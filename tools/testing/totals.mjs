// SPDX-License-Identifier: Apache-2.0
// One line of counts over the recorded jest runs. A test file that does not even load counts as one failure.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from '../workspace/root.mjs';

export const resultsFile = (suite) => join(cache, 'results', `${suite}.json`);

export function totalsLine(suites) {
  const runs = suites.map(resultsFile).filter((file) => existsSync(file));
  const results = runs.map((file) => JSON.parse(readFileSync(file, 'utf8')));
  const sum = (count) => results.reduce((total, run) => total + count(run), 0);
  const passed = sum((run) => run.numPassedTests);
  const failed = sum((run) => run.numFailedTests + run.numRuntimeErrorTestSuites);
  return `${passed} passed, ${failed} failed`;
}
