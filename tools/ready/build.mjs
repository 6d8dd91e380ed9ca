// SPDX-License-Identifier: Apache-2.0
// packages/*/dist as the sources say: `tsc -b`, left out when nothing it reads has changed since.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder } from '../workspace/files.mjs';
import { packageFolders } from '../workspace/packages.mjs';
import { root } from '../workspace/root.mjs';
import { pruneOutputs } from './prune.mjs';
import { fingerprint, isStamped, stamp } from '../workspace/stamp.mjs';

export function build() {
  const sources = sourcesPrint();
  if (isStamped('build', sources) && packageFolders(root).every((folder) => existsSync(join(folder, 'dist')))) return;
  const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (tsc.status !== 0) process.exit(tsc.status ?? 1);
  for (const folder of packageFolders(root)) pruneOutputs(folder);
  stamp('build', sources);
}

function sourcesPrint() {
  const folders = [...packageFolders(root), join(root, 'tools/types')];
  const files = folders.flatMap((folder) => [
    ...['package.json', 'tsconfig.json'].map((file) => join(folder, file)).filter((file) => existsSync(file)),
    ...filesUnder(folder, (file) => /^(src\/.*|[^/]*\.d)\.ts$/.test(file)).map((file) => join(folder, file)),
  ]);
  files.push(...['package-lock.json', 'tsconfig.base.json', 'tsconfig.json'].map((file) => join(root, file)));
  return fingerprint(files.map((file) => `${file} ${statSync(file).mtimeMs} ${statSync(file).size}`).join('\n'));
}
