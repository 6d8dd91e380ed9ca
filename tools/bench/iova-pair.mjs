// SPDX-License-Identifier: Apache-2.0
// One IOVA let go and another taken, at random among many that live: the allocator of DMA domains and the sketch that set its pace.
// The loops are given what they work on: compiled for one domain alone, they would show what no host with two has.
import { IovaDomain } from '@irqkit/core';
import { random } from './random.mjs';

const PAGE = 4096;
const GIB4 = 2 ** 32;
const OPS = 20_000;
const LOG2_PAGES = 24;
/** Long enough for a look at the heap that 16 bytes in each hundredth operation would show in. */
const NO_ALLOCATION_OVER = 1e7;

/** How many live, and of how many pages at the most. */
export const LOADS = [1000, 10_000, 100_000].flatMap((nrLive) => [32, 64].map((mostPages) => ({ nrLive, mostPages })));

/** Exported, so that no result is for nothing. */
export let sink = 0;

/** The pages of the sketch, at 4 GiB, so that both have them in one window. */
export function besideSketch(Sketch, magazines, { nrLive, mostPages }) {
  const name = `${nrLive} live of up to ${mostPages} pages`;
  const range = { first: GIB4, last: GIB4 + 2 ** LOG2_PAGES * PAGE - 1 };
  const sketch = once(() => {
    const load = loadOf(nrLive, mostPages, 1, Int32Array);
    return { load, allocator: filled(new Sketch(LOG2_PAGES), load) };
  });
  return [
    { name: `${name}, sketch`, ops: OPS, run: () => (sink += replaceInSketch(sketch().allocator, sketch().load)) },
    { ...domainCase(`${name}, IovaDomain`, { range, magazines }, nrLive, mostPages), beside: `${name}, sketch` },
  ];
}

/** 48 bits of addresses, as DMA domains have them. With 100000 what is below 4 GiB is full, and looked at first. */
export function below4GiBFirst(magazines, { nrLive, mostPages }) {
  const range = { first: 0, last: 2 ** 48 - 1 };
  return domainCase(`${nrLive} live of up to ${mostPages} pages, 48 bits`, { range, magazines }, nrLive, mostPages);
}

function domainCase(name, options, nrLive, mostPages) {
  const domain = once(() => {
    const load = loadOf(nrLive, mostPages, PAGE, Float64Array);
    return { load, allocator: filled(new IovaDomain({ place: '/iommu', granuleBytes: PAGE, ...options }), load) };
  });
  const run = () => (sink += replaceInDomain(domain().allocator, domain().load));
  return { name, ops: OPS, run, allocatesNothingOver: NO_ALLOCATION_OVER };
}

/** Allocations of 1 to `mostPages` units, and which of them each operation replaces by one of what size. */
function loadOf(nrLive, mostPages, unit, Live) {
  const next = random(99);
  const sizeOf = () => (1 + (next() % mostPages)) * unit;
  const initial = Int32Array.from({ length: nrLive }, sizeOf);
  const replaced = new Int32Array(OPS);
  const sizes = new Int32Array(OPS);
  for (let i = 0; i < OPS; i++) {
    replaced[i] = next() % nrLive;
    sizes[i] = sizeOf();
  }
  return { initial, replaced, sizes, live: new Live(nrLive) };
}

function filled(allocator, { initial, live }) {
  initial.forEach((size, i) => (live[i] = allocator.alloc(size)));
  return allocator;
}

// The same twice: a loop that had seen both allocators would call either the slow way.
function replaceInDomain(domain, { replaced, sizes, live }) {
  let sum = 0;
  for (let i = 0; i < OPS; i++) {
    const at = replaced[i];
    domain.free(live[at]);
    sum += live[at] = domain.alloc(sizes[i]);
  }
  return sum;
}

function replaceInSketch(sketch, { replaced, sizes, live }) {
  let sum = 0;
  for (let i = 0; i < OPS; i++) {
    const at = replaced[i];
    sketch.free(live[at]);
    sum += live[at] = sketch.alloc(sizes[i]);
  }
  return sum;
}

function once(make) {
  let made;
  return () => (made ??= make());
}
