// SPDX-License-Identifier: Apache-2.0
// One truth for the graph: a package's tsconfig references are the @irqkit packages its manifest needs at run time
// (own and peer; test-only ones are read from source), and the root's are all packages.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { ownDependencies, readPackages } from '../workspace/packages.mjs';

export function check(root) {
  const packages = readPackages(root);
  return [
    ...packages.flatMap(({ name, folder, manifest }) =>
      compare(
        `${name}/tsconfig.json`,
        referencesOf(join(folder, 'tsconfig.json')),
        ownDependencies(manifest, 'dependencies', 'peerDependencies').map((own) => `../${own}`),
      ),
    ),
    ...compare(
      'tsconfig.json',
      referencesOf(join(root, 'tsconfig.json')),
      packages.map(({ name }) => `packages/${name}`),
    ),
  ];
}

function referencesOf(file) {
  const { config } = ts.parseConfigFileTextToJson(file, readFileSync(file, 'utf8'));
  return (config.references ?? []).map(({ path }) => path);
}

function compare(where, has, needs) {
  return [
    ...needs.filter((path) => !has.includes(path)).map((path) => `${where}: lacks a reference to ${path}`),
    ...has
      .filter((path) => !needs.includes(path))
      .map((path) => `${where}: refers to ${path}, which package.json does not need`),
  ];
}
