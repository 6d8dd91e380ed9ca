// SPDX-License-Identifier: Apache-2.0
// What one case leaves on the heap, in bytes that each operation allocates, live or garbage:
// `node --expose-gc --min-semi-space-size=1024 --max-semi-space-size=1024 heap.mjs FILE CASE OPERATIONS`.
// The young generation is too large from the beginning to be collected meanwhile.
import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const [file, name, operations] = process.argv.slice(2);
const { cases } = await import(pathToFileURL(file));
const { ops, run, before } = cases().find((one) => one.name === name);

let collections = 0;
const observer = new PerformanceObserver((list) => (collections += list.getEntries().length));
observer.observe({ entryTypes: ['gc'] });

const warmUp = 1e6;
repeat(warmUp);
globalThis.gc();
await reported();
collections = 0;
const { heapUsed } = process.memoryUsage();
repeat(operations);
const bytes = process.memoryUsage().heapUsed - heapUsed;
await reported();
if (collections > 0)
  throw new Error(`${name}: the heap was collected ${collections} times over ${operations} operations`);
console.log(bytes / operations);

// On a busy machine a timer can come before what the observer is told of.
async function reported() {
  for (let i = 0; i < 3; i++) await setTimeout(10);
}

function repeat(times) {
  for (let done = 0; done < times; done += ops) {
    before?.();
    run();
  }
}
