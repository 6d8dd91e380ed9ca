// SPDX-License-Identifier: Apache-2.0
// Measures one suite and sends its rows to run.mjs. A suite exports cases(): [{ name, ops, run, beside?, allocatesNothingOver? }]:
// run() does `ops` operations (enough for some 100 us), `before` prepares each run and is not measured, `beside` names the case
// that it is to be compared with; over `allocatesNothingOver` operations the heap must stay as it was. A case without run() has
// figures(), which measures by itself: numbers by what they are.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pathToFileURL } from 'node:url';
import { Bench } from 'tinybench';

const rounds = 15;
const [file, suite, filter] = process.argv.slice(2);
const { cases } = await import(pathToFileURL(file));
const all = cases();
const shown = all.filter(({ name }) => `${suite}: ${name}`.includes(filter));
const measured = all.filter(({ name, run }) => run && shown.some((one) => name === one.name || name === one.beside));

const bench = new Bench({ time: 20, warmupTime: 20, iterations: 1 });
for (const { name, run, before } of measured) bench.add(name, run, { beforeEach: before });
const best = new Map(measured.map(({ name }) => [name, { min: Infinity, median: Infinity }]));
for (let round = 0; round < rounds; round++) {
  for (const task of bench.tasks) {
    task.reset();
    task.runSync();
    if (task.result.state !== 'completed') throw task.result.error;
    const { min, p50 } = task.result.latency;
    const so = best.get(task.name);
    best.set(task.name, { min: Math.min(so.min, min), median: Math.min(so.median, p50) });
  }
}

const nsPerOp = ({ name, ops }) => (best.get(name).min * 1e6) / ops;
for (const one of shown) {
  if (!one.run) {
    process.send({ name: one.name, figures: one.figures() });
    continue;
  }
  const row = {
    name: one.name,
    nsPerOp: nsPerOp(one),
    medianNsPerOp: (best.get(one.name).median * 1e6) / one.ops,
    opsPerSecond: 1e9 / nsPerOp(one),
  };
  const beside = measured.find(({ name }) => name === one.beside);
  process.send({
    ...row,
    ...(beside && { beside: beside.name, ratio: row.nsPerOp / nsPerOp(beside) }),
    ...(one.allocatesNothingOver && { bytesPerOp: bytesPerOp(one), over: one.allocatesNothingOver }),
  });
}

function bytesPerOp({ name, allocatesNothingOver }) {
  const heap = fileURLToPath(new URL('heap.mjs', import.meta.url));
  const flags = ['--expose-gc', '--min-semi-space-size=1024', '--max-semi-space-size=1024'];
  const output = execFileSync(process.execPath, [...flags, heap, file, name, allocatesNothingOver], {
    encoding: 'utf8',
  });
  return Number(output);
}
