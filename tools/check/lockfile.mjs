// SPDX-License-Identifier: Apache-2.0
// The lock names no registry host: it must install from anyone's, and what it was made with is nobody's business.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export function check(root) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([, { resolved }]) => resolved?.includes('://') && !resolved.startsWith('https://registry.npmjs.org/'))
    .map(([path, { resolved }]) => `package-lock.json: ${path} is resolved from ${new URL(resolved).host}`);
}
