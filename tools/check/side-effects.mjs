// SPDX-License-Identifier: Apache-2.0
// Importing a built package changes nothing that others can see; core's reflect-metadata polyfill apart.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { entryPoints, readPackages } from '../workspace/packages.mjs';

const observer = fileURLToPath(new URL('../workspace/observe-import.mjs', import.meta.url));

export function check(root) {
  return readPackages(root).flatMap((pkg) =>
    entryPoints(pkg).flatMap(({ module, name }) => {
      const entry = join(pkg.folder, 'dist', `${module}.js`);
      const { status, stdout, stderr } = spawnSync(process.execPath, [observer, entry], { encoding: 'utf8' });
      const lines = (status === 0 ? stdout : stderr).split('\n').filter(Boolean);
      return lines.map((line) => `${pkg.name} (${name}): ${line}`);
    }),
  );
}
