// SPDX-License-Identifier: Apache-2.0
// Where the repository stands, and where its tools keep what may be lost (npm ci and clean take it along).
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(fileURLToPath(import.meta.url), '../../..');
export const cache = join(root, 'node_modules/.cache/irqkit');
