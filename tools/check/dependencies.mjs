// SPDX-License-Identifier: Apache-2.0
// What a package imports it declares: hoisting hides a missing dependency here, and the user finds it.
import { builtinModules } from 'node:module';
import { importsUnder, npmPackage } from '../workspace/imports.mjs';
import { readPackages } from '../workspace/packages.mjs';

/** The root provides these to every test. */
const ofTheRoot = /^(@irqkit-test\/.+|@jest\/globals|fast-check)$/;

export function check(root) {
  return readPackages(root).flatMap(({ name, folder, manifest }) => {
    const own = [...Object.keys(manifest.dependencies ?? {}), ...Object.keys(manifest.peerDependencies ?? {})];
    const test = [...own, ...Object.keys(manifest.devDependencies ?? {}), manifest.name];
    return [
      ...undeclared(name, folder, 'src', own),
      ...undeclared(name, folder, 'test', test, ofTheRoot),
      ...Object.keys(manifest.peerDependencies ?? {})
        .filter((peer) => !(peer in (manifest.devDependencies ?? {})))
        .map((peer) => `${name}/package.json: the peer ${peer} is not a devDependency too`),
    ];
  });
}

function undeclared(name, folder, subfolder, declared, provided = /^$/) {
  return importsUnder(folder, subfolder)
    .filter(({ specifier }) => npmPackage(specifier) && !builtinModules.includes(specifier))
    .filter(({ specifier }) => !provided.test(npmPackage(specifier)))
    .filter(({ specifier }) => !declared.includes(npmPackage(specifier)))
    .map(({ file, specifier }) => `${name}/${file}: imports ${specifier}, which its package.json does not declare`);
}
