// SPDX-License-Identifier: Apache-2.0
import { findings } from '../../testing/call-tool.js';

const plugin = { peerDependencies: { '@irqkit/core': '^0.1.0' } };

test('floors: imports from above, between plugins, of tsyringe, and a missing peer are found', () => {
  const found = findings('floors', {
    'packages/bits/package.json': {},
    'packages/bits/src/index.ts': "import type { Bus } from '@irqkit/core';",
    'packages/core/package.json': { dependencies: { tsyringe: '4.10.0' } },
    'packages/core/src/index.ts': "export { inject } from 'tsyringe';\nimport '@irqkit/bits';",
    'packages/fdt/package.json': { devDependencies: { tsyringe: '4.10.0' } },
    'packages/fdt/src/index.ts': "import 'reflect-metadata';\nexport * from '@irqkit/pci/host';",
    'packages/gic-v2/package.json': { dependencies: { '@irqkit/core': '^0.1.0' }, ...plugin },
    'packages/gic-v2/test/driver.test.ts': "import '@irqkit/gic-v2';\nimport '@irqkit/gic-v2m';",
    'packages/gic-v2m/package.json': plugin,
    'packages/gic-v2m/src/driver.ts': "import { fields } from '@irqkit/bits';\nawait import('@irqkit/board');",
    'packages/gic-v9/package.json': {},
  });
  expect(found).toEqual([
    'bits/src/index.ts: imports @irqkit/core, which is not on a lower floor',
    'fdt/src/index.ts: imports @irqkit/pci/host, which is not on a lower floor',
    'fdt/package.json: only core depends on tsyringe',
    'fdt/src/index.ts: only core imports reflect-metadata',
    'gic-v2/test/driver.test.ts: imports another plugin, @irqkit/gic-v2m',
    'gic-v2/package.json: a plugin takes @irqkit/core as a peer dependency only',
    'gic-v9: has no floor in tools/workspace/floors.mjs',
  ]);
});
