// SPDX-License-Identifier: Apache-2.0
import { findings } from '../../testing/call-tool.js';

const tsconfig = { compilerOptions: { types: [] } };

test('browser: Node modules and Node types are found on floors 0-5 only', () => {
  const found = findings('browser', {
    'packages/board/package.json': {},
    'packages/board/tsconfig.json': { compilerOptions: { types: ['node'] } },
    'packages/core/package.json': {},
    'packages/core/tsconfig.json': tsconfig,
    'packages/core/src/index.ts': "import 'fs';\nimport 'node:path';\nimport 'tsyringe';",
    'packages/fdt/package.json': {},
    'packages/fdt/tsconfig.json': tsconfig,
    'packages/fdt/src/parse.ts': '/// <reference types="node" />',
    'packages/cli/package.json': {},
    'packages/cli/tsconfig.json': { compilerOptions: { types: ['node'] } },
    'packages/cli/src/main.ts': "import 'node:fs';",
  });
  expect(found).toEqual([
    'board/tsconfig.json: "types" is not empty',
    'core/src/index.ts: imports fs',
    'core/src/index.ts: imports node:path',
    'fdt/src/parse.ts: /// <reference types>',
  ]);
});
