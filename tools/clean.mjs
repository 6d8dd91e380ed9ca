// SPDX-License-Identifier: Apache-2.0
// `npm run clean`: away with everything that was built; node_modules stays.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolders } from './workspace/packages.mjs';
import { root } from './workspace/root.mjs';
import { unstamp } from './workspace/stamp.mjs';

for (const folder of packageFolders(root)) rmSync(join(folder, 'dist'), { recursive: true, force: true });
unstamp('build');
