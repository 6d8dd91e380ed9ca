// SPDX-License-Identifier: Apache-2.0
// `npm run api`: writes the API reports anew and names those that changed.
import { build } from './ready/build.mjs';
import { install } from './ready/install.mjs';
import { root } from './workspace/root.mjs';

install();
build();
const { update } = await import('./check/api-reports.mjs');
for (const file of update(root)) console.log(file);
