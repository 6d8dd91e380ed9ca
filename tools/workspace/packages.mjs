// SPDX-License-Identifier: Apache-2.0
// The packages of the monorepo and what their manifests say.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export const scope = '@irqkit/';

export function packageFolders(root) {
  const parent = join(root, 'packages');
  return readdirSync(parent)
    .map((name) => join(parent, name))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .sort();
}

export function readPackages(root) {
  return packageFolders(root).map((folder) => ({
    name: basename(folder),
    folder,
    manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')),
  }));
}

/** The folder names of the @irqkit packages in some of a manifest's dependency lists. */
export function ownDependencies(manifest, ...lists) {
  const names = lists.flatMap((list) => Object.keys(manifest[list] ?? {}));
  return [...new Set(names.filter((name) => name.startsWith(scope)).map((name) => name.slice(scope.length)))].sort();
}

/** A package's public entries: `.` is src/index.ts, `./host` is src/host/index.ts. */
export function entryPoints({ manifest }) {
  return Object.keys(manifest.exports ?? {}).map((subpath) => ({
    subpath,
    name: subpath === '.' ? 'index' : subpath.slice(2),
    module: subpath === '.' ? 'index' : `${subpath.slice(2)}/index`,
  }));
}
