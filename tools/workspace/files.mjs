// SPDX-License-Identifier: Apache-2.0
// The files below a folder, as sorted paths relative to it; none when the folder is not there.
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

export function filesUnder(folder, isWanted = () => true) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter(isWanted)
    .sort();
}

export const isSource = (file) => file.endsWith('.ts') && !file.endsWith('.d.ts');
