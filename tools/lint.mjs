// SPDX-License-Identifier: Apache-2.0
// `npm run lint`: eslint, layout, and the types of tests and sources together. All three speak before any fails.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { install } from './ready/install.mjs';
import { root } from './workspace/root.mjs';

install();
const steps = [
  ['eslint', 'eslint/bin/eslint.js', '.'],
  ['prettier', 'prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
  ['types', 'typescript/bin/tsc', '-p', 'tsconfig.test.json'],
];
for (const [name, tool, ...args] of steps) {
  const started = performance.now();
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules', tool), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (status !== 0) process.exitCode = 1;
}
