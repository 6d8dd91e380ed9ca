// SPDX-License-Identifier: Apache-2.0
// Floors 0-5 run in a browser: no Node module is imported, and the compiler is given no Node names (`process`, `Buffer`)
// to let through.
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import ts from 'typescript';
import { filesUnder, isSource } from '../workspace/files.mjs';
import { runsInBrowser } from '../workspace/floors.mjs';
import { importsUnder } from '../workspace/imports.mjs';
import { readPackages } from '../workspace/packages.mjs';

export function check(root) {
  return readPackages(root)
    .filter(({ name }) => runsInBrowser(name))
    .flatMap((pkg) => [...nodeModules(pkg), ...ambientTypes(pkg)]);
}

function nodeModules({ name, folder }) {
  return importsUnder(folder, 'src')
    .filter(({ specifier }) => specifier.startsWith('node:') || builtinModules.includes(specifier))
    .map(({ file, specifier }) => `${name}/${file}: imports ${specifier}`);
}

function ambientTypes({ name, folder }) {
  const { config } = ts.readConfigFile(join(folder, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
  const given = options.types?.length === 0 ? [] : [`${name}/tsconfig.json: "types" is not empty`];
  const taken = filesUnder(join(folder, 'src'), isSource).filter(
    (file) => ts.preProcessFile(readFileSync(join(folder, 'src', file), 'utf8')).typeReferenceDirectives.length > 0,
  );
  return [...given, ...taken.map((file) => `${name}/src/${file}: /// <reference types>`)];
}
