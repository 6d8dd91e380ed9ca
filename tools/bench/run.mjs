// SPDX-License-Identifier: Apache-2.0
// `npm run bench [-- --filter TEXT] [--json FILE]`: every tools/bench/*.bench.mjs, each in a process of its own, so that
// no suite runs on what another taught the compiler. Times are the best of interleaved rounds.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../ready/build.mjs';
import { install } from '../ready/install.mjs';
import { filesUnder } from '../workspace/files.mjs';
import { root } from '../workspace/root.mjs';

const { values } = parseArgs({ options: { filter: { type: 'string', default: '' }, json: { type: 'string' } } });
install();
build();
// The compiler itself leaves some 0.02; one object of 16 bytes in 32 operations is too much.
const bytesAllowed = 0.5;
const folder = join(root, 'tools/bench');
const rows = [];
for (const file of filesUnder(folder, (name) => name.endsWith('.bench.mjs'))) {
  const suite = basename(file, '.bench.mjs');
  const child = fork(join(folder, 'measure.mjs'), [join(folder, file), suite, values.filter]);
  child.on('message', (row) => {
    rows.push({ suite, ...row });
    if (row.figures) printFigures(suite, row);
    else print(suite, row);
    if (row.bytesPerOp >= bytesAllowed) process.exitCode = 1;
  });
  const [status] = await once(child, 'exit');
  if (status !== 0) process.exitCode = 1;
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);

function print(suite, { name, nsPerOp, medianNsPerOp, opsPerSecond, beside, ratio, bytesPerOp, over }) {
  const time = `${nsPerOp.toPrecision(3)} ns/op (median ${medianNsPerOp.toPrecision(3)})`;
  const versus = beside ? `  ${ratio.toFixed(2)} x ${beside}` : '';
  const speed = `${(opsPerSecond / 1e6).toPrecision(3)} M/s`;
  const heap = bytesPerOp === undefined ? '' : `  ${bytesPerOp.toFixed(3)} bytes/op over ${over.toExponential(0)}`;
  console.log(`${`${suite}: ${name}`.padEnd(56)} ${time.padEnd(34)} ${speed.padEnd(10)}${versus}${heap}`);
}

function printFigures(suite, { name, figures }) {
  const all = Object.entries(figures).map(([what, value]) => `${value.toPrecision(3)} ${what}`);
  console.log(`${`${suite}: ${name}`.padEnd(56)} ${all.join(', ')}`);
}
