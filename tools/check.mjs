// SPDX-License-Identifier: Apache-2.0
// `npm run check`: every check in tools/check, or those named (`npm run check -- floors unimp`). Each exports
// check(root), the list of what it found; all speak before any fails.
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from './ready/build.mjs';
import { install } from './ready/install.mjs';
import { root } from './workspace/root.mjs';

install();
build();
const wanted = process.argv.slice(2);
const names = readdirSync(join(root, 'tools/check'))
  .filter((file) => file.endsWith('.mjs'))
  .map((file) => basename(file, '.mjs'))
  .filter((name) => wanted.length === 0 || wanted.includes(name));
for (const name of names) {
  const started = performance.now();
  const { check } = await import(`./check/${name}.mjs`);
  const found = await check(root);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${found.length === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  for (const violation of found) console.log(`       ${violation}`);
  if (found.length > 0) process.exitCode = 1;
}
