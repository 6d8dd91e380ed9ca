// SPDX-License-Identifier: Apache-2.0
import { callTool } from '../call-tool.js';

test('totals: runs add up; a file that does not load and a run that never was are failures', () => {
  const tree = {
    'unit.json': { numPassedTests: 7, numFailedTests: 2, numRuntimeErrorTestSuites: 1 },
    'e2e.json': { numPassedTests: 3, numFailedTests: 0, numRuntimeErrorTestSuites: 0 },
  };
  expect(callTool('testing/totals.mjs', 'totalsLine', tree, ['unit', 'e2e'])).toBe('10 passed, 3 failed');
  expect(callTool('testing/totals.mjs', 'totalsLine', tree, ['e2e', 'campaign'])).toBe('3 passed, 1 failed');
});
