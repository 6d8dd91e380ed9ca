// SPDX-License-Identifier: Apache-2.0
import { findings } from '../../testing/call-tool.js';

test('rules: an id that does not exist is found in a title, and only in a title', () => {
  const found = findings('rules', {
    'packages/core/package.json': {},
    'packages/core/test/msi.test.ts': `
      // R98
      describeWithTool('dtc', 'R7: a failing map', () => {
        it.each([1])('R99, R25: %d', () => expect('R97').toBe(1));
      });`,
  });
  expect(found).toEqual(['packages/core/test/msi.test.ts: there is no rule R99']);
});
