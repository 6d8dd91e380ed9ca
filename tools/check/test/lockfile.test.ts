// SPDX-License-Identifier: Apache-2.0
import { findings } from '../../testing/call-tool.js';

test('lockfile: a registry of somebody in particular is found', () => {
  const found = findings('lockfile', {
    'package-lock.json': {
      packages: {
        '': {},
        'node_modules/@irqkit/bits': { resolved: 'packages/bits', link: true },
        'node_modules/a': { version: '1.0.0' },
        'node_modules/b': { resolved: 'https://registry.npmjs.org/b/-/b-1.0.0.tgz' },
        'node_modules/c': { resolved: 'http://registry.example:4873/c/-/c-1.0.0.tgz' },
      },
    },
  });
  expect(found).toEqual(['package-lock.json: node_modules/c is resolved from registry.example:4873']);
});
