// SPDX-License-Identifier: Apache-2.0
import { findings } from '../../testing/call-tool.js';

test('references: tsconfig and package.json tell of the same graph', () => {
  const found = findings('references', {
    'tsconfig.json': { references: [{ path: 'packages/bits' }, { path: 'packages/gone' }] },
    'packages/bits/package.json': { devDependencies: { '@irqkit/fdt': '^0.1.0' } },
    'packages/bits/tsconfig.json': {},
    'packages/fdt/package.json': {
      dependencies: { '@irqkit/bits': '^0.1.0', yaml: '2.9.1' },
      peerDependencies: { '@irqkit/core': '^0.1.0' },
    },
    'packages/fdt/tsconfig.json': { references: [{ path: '../core' }, { path: '../pci' }] },
  });
  expect(found).toEqual([
    'fdt/tsconfig.json: lacks a reference to ../bits',
    'fdt/tsconfig.json: refers to ../pci, which package.json does not need',
    'tsconfig.json: lacks a reference to packages/fdt',
    'tsconfig.json: refers to packages/gone, which package.json does not need',
  ]);
});
