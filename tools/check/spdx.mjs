// SPDX-License-Identifier: Apache-2.0
// Every source file names its licence in its first line (a script's first after #!), and every tarball carries the text.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder } from '../workspace/files.mjs';
import { readPackages } from '../workspace/packages.mjs';

const spdx = '// SPDX-License-Identifier: Apache-2.0';

export function check(root) {
  const packages = readPackages(root);
  const folders = [
    'tools',
    'test-e2e',
    ...packages.flatMap(({ name }) => ['src', 'test'].map((sub) => `packages/${name}/${sub}`)),
  ];
  const sources = folders.flatMap((folder) =>
    filesUnder(join(root, folder), (file) => /\.(ts|mjs|js)$/.test(file)).map((file) => join(folder, file)),
  );
  const licence = readFileSync(join(root, 'LICENSE'), 'utf8');
  return [
    ...sources
      .filter(
        (file) =>
          !readFileSync(join(root, file), 'utf8')
            .replace(/^#!.*\n/, '')
            .startsWith(`${spdx}\n`),
      )
      .map((file) => `${file}: does not begin with "${spdx}"`),
    ...packages
      .filter(
        ({ folder }) =>
          !existsSync(join(folder, 'LICENSE')) || readFileSync(join(folder, 'LICENSE'), 'utf8') !== licence,
      )
      .map(({ name }) => `packages/${name}/LICENSE: is not a copy of the root's`),
  ];
}
