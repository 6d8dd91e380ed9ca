// SPDX-License-Identifier: Apache-2.0
// `npm test`, `npm run e2e`, `npm run campaign`: jest over one suite, from a fresh clone on.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './ready/build.mjs';
import { install } from './ready/install.mjs';
import { runJest } from './testing/run-jest.mjs';
import { resultsFolder } from './testing/totals.mjs';

const suites = {
  unit: { config: 'jest.config.mjs' },
  e2e: { config: 'jest.e2e.config.mjs' },
  campaign: { config: 'jest.campaign.config.mjs', env: { IRQKIT_CAMPAIGN: '1' } },
};

const [suite, ...args] = process.argv.slice(2);
rmSync(join(resultsFolder, `${suite}.json`), { force: true });
install();
build();
mkdirSync(resultsFolder, { recursive: true });
process.exitCode = runJest(suite, suites[suite], args);
