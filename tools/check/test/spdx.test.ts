// SPDX-License-Identifier: Apache-2.0
import { findings } from '../../testing/call-tool.js';

const line = '// SPDX-License-Identifier: Apache-2.0\n';

test('spdx: files without the line and packages without the text are found', () => {
  const found = findings('spdx', {
    LICENSE: 'the text',
    'packages/bits/package.json': {},
    'packages/bits/LICENSE': 'the text',
    'packages/bits/src/index.ts': `${line}export {};`,
    'packages/bits/test/field.test.ts': `\n${line}`,
    'packages/cli/package.json': {},
    'packages/cli/LICENSE': 'another text',
    'packages/cli/src/main.ts': `#!/usr/bin/env node\n${line}`,
    'tools/check.mjs': 'export {};',
  });
  expect(found).toEqual([
    'tools/check.mjs: does not begin with "// SPDX-License-Identifier: Apache-2.0"',
    'packages/bits/test/field.test.ts: does not begin with "// SPDX-License-Identifier: Apache-2.0"',
    "packages/cli/LICENSE: is not a copy of the root's",
  ]);
});
