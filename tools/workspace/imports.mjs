// SPDX-License-Identifier: Apache-2.0
// Who imports what: every module specifier of a TypeScript file, type-only ones too, as TypeScript's scanner finds them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { filesUnder, isSource } from './files.mjs';
import { scope } from './packages.mjs';

/** Every import below a package's subfolder, as { file, specifier }; file is relative to the package. */
export function importsUnder(folder, subfolder) {
  return filesUnder(join(folder, subfolder), isSource).flatMap((file) =>
    importsOf(join(folder, subfolder, file)).map((specifier) => ({ file: join(subfolder, file), specifier })),
  );
}

export function importsOf(file) {
  return ts.preProcessFile(readFileSync(file, 'utf8'), true, true).importedFiles.map(({ fileName }) => fileName);
}

/** `pci` of `@irqkit/pci/host`; undefined for what is not ours. */
export function ownPackage(specifier) {
  return specifier.startsWith(scope) ? specifier.slice(scope.length).split('/')[0] : undefined;
}

/** The npm package of a bare specifier; undefined for a relative path or a Node builtin. */
export function npmPackage(specifier) {
  if (/^(\.|node:)/.test(specifier)) return undefined;
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
