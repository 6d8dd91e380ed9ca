// SPDX-License-Identifier: Apache-2.0
// tsc leaves the outputs of deleted sources behind, and they would be published: away with them.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder } from '../workspace/files.mjs';

const extension = /\.(js|d\.ts)(\.map)?$/;

export function pruneOutputs(folder) {
  const orphans = filesUnder(join(folder, 'dist'), (file) => extension.test(file)).filter(
    (file) => !existsSync(join(folder, 'src', file.replace(extension, '.ts'))),
  );
  for (const file of orphans) rmSync(join(folder, 'dist', file));
  return orphans;
}
