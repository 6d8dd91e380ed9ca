// SPDX-License-Identifier: Apache-2.0
// The line of counts over the last runs of the named suites: `node tools/totals.mjs unit e2e`.
import { resultsFolder, totalsLine } from './testing/totals.mjs';

console.log(totalsLine(resultsFolder, process.argv.slice(2)));
