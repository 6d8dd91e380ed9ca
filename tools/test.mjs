// SPDX-License-Identifier: Apache-2.0
// `npm test`, `npm run e2e`, `npm run campaign`: jest over one suite, from a fresh clone on.
import { runJest } from './testing/run-jest.mjs';
import { build } from './ready/build.mjs';
import { install } from './ready/install.mjs';

const suites = {
  unit: { config: 'jest.config.mjs' },
  e2e: { config: 'jest.e2e.config.mjs' },
  campaign: { config: 'jest.config.mjs', env: { IRQKIT_CAMPAIGN: '1' } },
};

const [suite, ...args] = process.argv.slice(2);
install();
build();
process.exitCode = runJest(suite, suites[suite], args);
