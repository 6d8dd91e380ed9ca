// SPDX-License-Identifier: Apache-2.0
import { findings } from '../../testing/call-tool.js';

const manifest = {
  name: '@irqkit/bits',
  version: '0.1.0',
  license: 'Apache-2.0',
  type: 'module',
  exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
  files: ['dist'],
};

test('tarballs: a missing licence, a missing file and wrong types are found', () => {
  const found = findings('tarballs', {
    'package.json': { private: true, workspaces: ['packages/*'] },
    'packages/bits/package.json': manifest,
    'packages/bits/LICENSE': 'the text',
    'packages/bits/dist/index.js': 'export const hex = 1;\n',
    'packages/bits/dist/index.d.ts': 'export declare const hex: number;\n',
    'packages/fdt/package.json': {
      ...manifest,
      name: '@irqkit/fdt',
      bin: './dist/main.js',
      exports: { '.': { types: './dist/index.d.cts', default: './dist/index.js' } },
    },
    'packages/fdt/dist/index.js': 'export const parse = 1;\n',
    'packages/fdt/dist/index.d.cts': 'export declare const parse: number;\n',
  }) as string[];
  expect(found.filter((line) => !line.startsWith('@irqkit/fdt: '))).toEqual([]);
  const said = found.join('\n');
  expect(said).toContain('@irqkit/fdt: has no LICENSE');
  expect(said).toMatch(/publint: pkg\.bin is \.\/dist\/main\.js but the file does not exist/);
  expect(said).toMatch(/attw: .*masquerading/is);
});
