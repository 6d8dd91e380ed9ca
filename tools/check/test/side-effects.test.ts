// SPDX-License-Identifier: Apache-2.0
import { findings } from '../../testing/call-tool.js';

const manifest = { type: 'module', exports: { '.': {} } };

test('side-effects: what an import leaves behind is found', () => {
  const found = findings('side-effects', {
    'packages/bits/package.json': manifest,
    'packages/bits/dist/index.js': 'export const alignDown = (x, a) => x - (x % a);',
    'packages/core/package.json': { ...manifest, exports: { '.': {}, './host': {} } },
    'packages/core/dist/index.js': "process.on('exit', () => {});",
    'packages/core/dist/host/index.js': 'Array.prototype.last = () => {};',
    'packages/fdt/package.json': manifest,
    'packages/fdt/dist/index.js': "import 'nowhere';",
  }) as string[];
  expect(found.slice(0, 2)).toEqual([
    expect.stringMatching(/^core \(index\): import changes the listeners of process: .*\bexit/),
    expect.stringMatching(/^core \(host\): import changes a built-in: /),
  ]);
  expect(found.slice(2).join()).toMatch(/fdt \(index\): .*Cannot find package 'nowhere'/);
});
