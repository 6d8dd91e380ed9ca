// SPDX-License-Identifier: Apache-2.0
// node_modules as the lock says: `npm ci` unless what npm recorded there (its hidden lockfile) is what the lock wants.
import { execSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root as here } from '../workspace/root.mjs';

export function install() {
  if (isInstalled(here)) return;
  console.log('npm ci: node_modules is not what package-lock.json wants');
  execSync('npm ci', { cwd: here, stdio: 'inherit' });
}

export function isInstalled(root) {
  const wanted = readPackages(join(root, 'package-lock.json'));
  const installed = readPackages(join(root, 'node_modules/.package-lock.json'));
  const paths = new Set([...Object.keys(wanted), ...Object.keys(installed)]);
  paths.delete(''); // the root itself, which npm does not record
  return [...paths].every((path) => isSame(wanted[path], installed[path]));
}

/** Optional packages of other platforms are wanted, and never installed. */
function isSame(wanted, installed) {
  if (!wanted) return false;
  if (!installed) return wanted.optional === true;
  return ['version', 'integrity', 'link', 'resolved'].every((key) => wanted[key] === installed[key]);
}

function readPackages(lock) {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')).packages;
  } catch {
    return {};
  }
}
