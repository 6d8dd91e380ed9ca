// SPDX-License-Identifier: Apache-2.0
// Public means exported, and what is exported is on record: packages/x/etc/<entry>.api.md per entry point. A report that
// no longer tells the truth fails here; `npm run api` writes it anew, and the diff is for the reviewer.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { filesUnder } from '../workspace/files.mjs';
import { entryPoints, readPackages } from '../workspace/packages.mjs';
import { root as here } from '../workspace/root.mjs';

export function check(root) {
  return readPackages(root).flatMap((pkg) => [
    ...entryPoints(pkg)
      .filter((entry) => isWrong(report(root, pkg, entry, false)))
      .map(({ name }) => `${pkg.name}/etc/${name}.api.md: is not what the package exports (npm run api)`),
    ...orphans(pkg).map((file) => `${pkg.name}/etc/${file}: belongs to no entry point`),
  ]);
}

export function update(root) {
  return readPackages(root).flatMap((pkg) =>
    entryPoints(pkg)
      .filter((entry) => report(root, pkg, entry, true).apiReportChanged)
      .map(({ name }) => `packages/${pkg.name}/etc/${name}.api.md`),
  );
}

const isWrong = ({ apiReportChanged, errorCount }) => apiReportChanged || errorCount > 0;

function orphans(pkg) {
  const known = entryPoints(pkg).map(({ name }) => `${name}.api.md`);
  return filesUnder(join(pkg.folder, 'etc')).filter((file) => !known.includes(file));
}

function report(root, { name, folder }, entry, isUpdate) {
  const reportFolder = join(folder, 'etc');
  const reportTempFolder = join(root, 'node_modules/.cache/irqkit/api', name);
  mkdirSync(reportTempFolder, { recursive: true });
  if (isUpdate) mkdirSync(reportFolder, { recursive: true });
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: join(folder, 'dist', `${entry.module}.d.ts`),
      newlineKind: 'lf',
      compiler: { tsconfigFilePath: join(folder, 'tsconfig.json') },
      apiReport: { enabled: true, reportFileName: `${entry.name}.api.md`, reportFolder, reportTempFolder },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        extractorMessageReporting: {
          default: { logLevel: 'none' },
          'ae-forgotten-export': { logLevel: 'warning', addToApiReportFile: true },
        },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
  });
  return Extractor.invoke(config, {
    localBuild: isUpdate,
    typescriptCompilerFolder: join(here, 'node_modules/typescript'),
    messageCallback: (message) => {
      message.handled = message.logLevel !== 'error';
    },
  });
}
