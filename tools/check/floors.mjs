// SPDX-License-Identifier: Apache-2.0
// Floors: a package imports only from below; plugins never meet, not even in tests; tsyringe belongs to core alone
// (two copies do not see each other's metadata), which plugins therefore take as a peer.
import { floorOf, isPlugin } from '../workspace/floors.mjs';
import { importsUnder, npmPackage, ownPackage } from '../workspace/imports.mjs';
import { readPackages } from '../workspace/packages.mjs';

const coreOnly = ['tsyringe', 'reflect-metadata'];

export function check(root) {
  return readPackages(root).flatMap((pkg) => [
    ...(floorOf(pkg.name) < 0 ? [`${pkg.name}: has no floor in tools/workspace/floors.mjs`] : []),
    ...fromAbove(pkg),
    ...otherPlugins(pkg),
    ...injectionOutsideCore(pkg),
    ...missingPeer(pkg),
  ]);
}

function fromAbove({ name, folder }) {
  return importsUnder(folder, 'src')
    .filter(({ specifier }) => ownPackage(specifier) && floorOf(ownPackage(specifier)) >= floorOf(name))
    .map(({ file, specifier }) => `${name}/${file}: imports ${specifier}, which is not on a lower floor`);
}

function otherPlugins({ name, folder }) {
  if (!isPlugin(name)) return [];
  return importsUnder(folder, 'test')
    .filter(({ specifier }) => ownPackage(specifier) !== name && isPlugin(ownPackage(specifier)))
    .map(({ file, specifier }) => `${name}/${file}: imports another plugin, ${specifier}`);
}

function injectionOutsideCore({ name, folder, manifest }) {
  if (name === 'core') return [];
  const declared = ['dependencies', 'peerDependencies', 'devDependencies']
    .flatMap((list) => Object.keys(manifest[list] ?? {}))
    .filter((dependency) => coreOnly.includes(dependency));
  const imported = importsUnder(folder, 'src').filter(({ specifier }) => coreOnly.includes(npmPackage(specifier)));
  return [
    ...declared.map((dependency) => `${name}/package.json: only core depends on ${dependency}`),
    ...imported.map(({ file, specifier }) => `${name}/${file}: only core imports ${specifier}`),
  ];
}

function missingPeer({ name, manifest }) {
  if (!isPlugin(name)) return [];
  const isPeer = '@irqkit/core' in (manifest.peerDependencies ?? {});
  const isOwn = '@irqkit/core' in (manifest.dependencies ?? {});
  return isPeer && !isOwn ? [] : [`${name}/package.json: a plugin takes @irqkit/core as a peer dependency only`];
}
