// SPDX-License-Identifier: Apache-2.0
import { callTool } from '../../testing/call-tool.js';

const isInstalled = (wanted: unknown, installed: unknown) =>
  callTool('ready/install.mjs', 'isInstalled', {
    'package-lock.json': { packages: { '': { name: 'irqkit' }, ...(wanted as object) } },
    'node_modules/.package-lock.json': { packages: installed },
  });

const a1 = { version: '1.0.0', integrity: 'sha512-a' };
const link = { resolved: 'packages/bits', link: true };

test.each([
  ['the same packages', true, { a: a1, bits: link }, { a: a1, bits: link }],
  ['without the optional package of another platform', true, { a: a1, b: { optional: true } }, { a: a1 }],
  ['a missing package', false, { a: a1 }, {}],
  ['another version', false, { a: a1 }, { a: { ...a1, version: '1.0.1' } }],
  ['other bytes', false, { a: a1 }, { a: { ...a1, integrity: 'sha512-b' } }],
  ['a package too many', false, {}, { a: a1 }],
])('install: %s: %p', (_title, expected, wanted, installed) => {
  expect(isInstalled(wanted, installed)).toBe(expected);
});

test('install: a fresh clone', () => {
  expect(callTool('ready/install.mjs', 'isInstalled', { 'package-lock.json': { packages: { a: a1 } } })).toBe(false);
});
