// SPDX-License-Identifier: Apache-2.0
import { findings } from '../../testing/call-tool.js';

test('dependencies: what is imported but not declared is found, in sources and in tests', () => {
  const found = findings('dependencies', {
    'packages/fdt/package.json': {
      name: '@irqkit/fdt',
      dependencies: { '@irqkit/bits': '^0.1.0' },
      devDependencies: { '@irqkit/board': '^0.1.0' },
      peerDependencies: { '@irqkit/core': '^0.1.0' },
    },
    'packages/fdt/src/parse.ts': "import './a.js';\nimport '@irqkit/bits';\nimport '@irqkit/board';\nimport 'yaml/x';",
    'packages/fdt/test/parse.test.ts': `
      import 'node:fs';
      import fc from 'fast-check';
      import { seed } from '@irqkit-test/env';
      import '@irqkit/fdt';
      import '@irqkit/board';
      import '@irqkit/pci/host';`,
  });
  expect(found).toEqual([
    'fdt/src/parse.ts: imports @irqkit/board, which its package.json does not declare',
    'fdt/src/parse.ts: imports yaml/x, which its package.json does not declare',
    'fdt/test/parse.test.ts: imports @irqkit/pci/host, which its package.json does not declare',
    'fdt/package.json: the peer @irqkit/core is not a devDependency too',
  ]);
});
