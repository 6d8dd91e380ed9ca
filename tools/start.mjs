// SPDX-License-Identifier: Apache-2.0
// `npm start`: the CLI's own run, from a fresh clone on.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from './ready/build.mjs';
import { install } from './ready/install.mjs';
import { root } from './workspace/root.mjs';

install();
build();
const main = join(root, 'packages/cli/dist/main.js');
process.exitCode =
  spawnSync(process.execPath, [main, 'run', ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1;
