// SPDX-License-Identifier: Apache-2.0
// Page tables of every geometry beside a Map: what was mapped is what the driver looks up and what a model walks to.

import { runs, seed } from '@irqkit-test/env';
import { IOMMU_PROT, iova, physAddr } from '@irqkit/core';
import { WALK_ACCESS, WALK_FAULT } from '@irqkit/pgtable/walk';
import fc from 'fast-check';
import { FakeMemory } from './fake-memory.js';
import { codeOf, KIB16, KIB4, KIB64, rig, walkerOf } from './tables.js';
import type { Geometry, Rig } from './tables.js';

const GEOMETRIES: Geometry[] = [
  { stage: 1, granuleBytes: KIB4, iasBits: 48, oasBits: 48 },
  { stage: 1, granuleBytes: KIB4, iasBits: 39, oasBits: 40 },
  { stage: 1, granuleBytes: KIB4, iasBits: 32, oasBits: 32 },
  { stage: 1, granuleBytes: KIB16, iasBits: 48, oasBits: 48 },
  { stage: 1, granuleBytes: KIB16, iasBits: 36, oasBits: 42 },
  { stage: 1, granuleBytes: KIB64, iasBits: 48, oasBits: 44 },
  { stage: 1, granuleBytes: KIB64, iasBits: 52, oasBits: 52 },
  { stage: 1, granuleBytes: KIB64, iasBits: 33, oasBits: 36 },
  { stage: 2, granuleBytes: KIB4, iasBits: 48, oasBits: 48 },
  { stage: 2, granuleBytes: KIB4, iasBits: 40, oasBits: 40 },
  { stage: 2, granuleBytes: KIB4, iasBits: 44, oasBits: 44 },
  { stage: 2, granuleBytes: KIB16, iasBits: 48, oasBits: 48 },
  { stage: 2, granuleBytes: KIB16, iasBits: 40, oasBits: 40 },
  { stage: 2, granuleBytes: KIB64, iasBits: 48, oasBits: 52 },
  { stage: 2, granuleBytes: KIB64, iasBits: 52, oasBits: 52 },
];

interface Leaf {
  readonly pa: number;
  readonly prot: number;
}

/** By number of the granule-sized page. */
type Oracle = Map<number, Leaf>;

/** Where things are tried: a few windows far apart, each around a border of tables. */
function bases({ iasBits, granuleBytes }: Geometry): number[] {
  const block = blockOf(granuleBytes);
  const end = 2 ** iasBits;
  return [0, block * 2, end / 2 - block, end - block * 2].map((base) => Math.max(base, 0));
}

const blockOf = (granuleBytes: number): number => (granuleBytes / 8) * granuleBytes;

/** One of pages in number, near a base, of a size of page; where and for how long in units of it. */
const operation = fc.record({
  kind: fc.constantFrom('map', 'map', 'unmap'),
  base: fc.nat(3),
  at: fc.nat(40),
  size: fc.constantFrom(0, 0, 0, 1),
  fromEnd: fc.boolean(),
  count: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom(1, 40, 600)),
  pa: fc.nat(60),
  prot: fc.integer({ min: 1, max: 63 }),
});

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

function place(geometry: Geometry, sizes: readonly number[], op: Operation) {
  const pageBytes = sizes[Math.min(op.size, sizes.length - 1)];
  const block = blockOf(geometry.granuleBytes);
  const offset =
    pageBytes === geometry.granuleBytes
      ? op.fromEnd
        ? block - (op.at + 1) * pageBytes
        : op.at * pageBytes
      : (op.at % 2) * pageBytes;
  const count = pageBytes === geometry.granuleBytes ? op.count : 1 + (op.count % 2);
  const start = bases(geometry)[op.base] + offset;
  const top = 2 ** geometry.oasBits - block * 4;
  const pa = (op.pa % 2 === 0 ? 0 : top) + (op.pa % 3) * pageBytes;
  return { pageBytes, start, count, pa };
}

function apply(geometry: Geometry, { table }: Rig, oracle: Oracle, op: Operation): void {
  const { granuleBytes } = geometry;
  const { pageBytes, start, count, pa } = place(geometry, table.pageSizes, op);
  const prot = (op.prot & 3) === 0 ? op.prot | IOMMU_PROT.READ : op.prot;
  const pages = Array.from({ length: (count * pageBytes) / granuleBytes }, (_, i) => start / granuleBytes + i);
  if (op.kind === 'map') {
    const isOutside =
      start + count * pageBytes > 2 ** geometry.iasBits || pa + count * pageBytes > 2 ** geometry.oasBits;
    const expected = isOutside ? 'ERANGE' : pages.some((page) => oracle.has(page)) ? 'EEXIST' : 'nothing thrown';
    expect(codeOf(() => table.mapPages(iova(start), physAddr(pa), pageBytes, count, prot))).toBe(expected);
    if (expected === 'nothing thrown')
      pages.forEach((page, i) => oracle.set(page, { pa: pa + i * granuleBytes, prot }));
    return;
  }
  const hole = pages.findIndex((page) => !oracle.has(page));
  const gone = hole < 0 ? pages : pages.slice(0, hole);
  expect(table.unmapPages(iova(start), pageBytes, count)).toBe(gone.length * granuleBytes);
  gone.forEach((page) => oracle.delete(page));
}

function expectSame(geometry: Geometry, one: Rig, oracle: Oracle, touched: Iterable<number>): void {
  const { granuleBytes } = geometry;
  const walk = walkerOf(one);
  for (const page of touched) {
    const address = page * granuleBytes + (page % 7) * 8;
    if (address >= 2 ** geometry.iasBits) continue;
    const leaf = oracle.get(page);
    const pa = leaf && leaf.pa + (page % 7) * 8;
    const found = one.table.iovaToPhys(iova(address));
    if (found !== pa) expect({ address, found }).toEqual({ address, found: pa });
    for (const access of [0, WALK_ACCESS.WRITE, WALK_ACCESS.PRIVILEGED, WALK_ACCESS.INSTRUCTION]) {
      const { fault, pa: walked } = walk(address, access);
      const expected = expectedFault(geometry, leaf, access);
      if (fault !== expected || (expected === WALK_FAULT.NONE && walked !== pa))
        expect({ address, access, fault, walked }).toEqual({ address, access, fault: expected, walked: pa });
    }
  }
}

/** From the meaning of IOMMU_PROT. Stage 1 cannot be write-only, and privileged mappings are no one else's. */
function expectedFault({ stage }: Geometry, leaf: Leaf | undefined, access: number): number {
  if (leaf === undefined) return WALK_FAULT.TRANSLATION;
  const has = (bit: number): boolean => (leaf.prot & bit) !== 0;
  const lets =
    access === WALK_ACCESS.WRITE
      ? has(IOMMU_PROT.WRITE)
      : access === WALK_ACCESS.INSTRUCTION
        ? !has(IOMMU_PROT.NOEXEC)
        : stage === 1 || has(IOMMU_PROT.READ);
  const unprivileged = access !== WALK_ACCESS.PRIVILEGED && access !== WALK_ACCESS.INSTRUCTION;
  const isKept = stage === 1 && unprivileged && has(IOMMU_PROT.PRIV);
  return lets && !isKept ? WALK_FAULT.NONE : WALK_FAULT.PERMISSION;
}

describe.each(GEOMETRIES)('stage $stage, granule $granuleBytes, $iasBits to $oasBits bits', (geometry) => {
  it('maps, unmaps and splits as a Map does', () => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 14 }), (operations) => {
        const one = rig(geometry, { chunkTables: 4 });
        const oracle: Oracle = new Map();
        const touched = new Set<number>();
        for (const op of operations) {
          const { start, count, pageBytes } = place(geometry, one.table.pageSizes, op);
          const first = start / geometry.granuleBytes;
          const nr = (count * pageBytes) / geometry.granuleBytes;
          for (const i of [-1, 0, 1, 2, nr >> 1, nr - 2, nr - 1, nr]) if (first + i >= 0) touched.add(first + i);
          apply(geometry, one, oracle, op);
          expectSame(geometry, one, oracle, touched);
        }
        for (const page of [...oracle.keys()].sort((a, b) => a - b))
          if (oracle.delete(page)) one.table.unmapPages(iova(page * geometry.granuleBytes), geometry.granuleBytes, 1);
        expect(one.pool.nrTables).toBe(0);
        one.table.free();
        expect(one.memory.liveBytes).toBe(0);
      }),
      { seed, numRuns: runs(15, 150) },
    );
  });

  it('is as before where memory runs out, whichever table it is for', () => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 6 }), operation, (operations, last) => {
        for (let left = 0; ; left++) {
          const one = rig(geometry, { memory: new FakeMemory() });
          const oracle: Oracle = new Map();
          for (const op of operations) apply(geometry, one, oracle, op);
          const before = one.memory.contents();
          const bytes = one.memory.liveBytes;
          one.memory.left = left;
          const { pageBytes, start, count, pa } = place(geometry, one.table.pageSizes, last);
          const code = codeOf(() =>
            last.kind === 'map'
              ? one.table.mapPages(iova(start), physAddr(pa), pageBytes, count, IOMMU_PROT.READ)
              : one.table.unmapPages(iova(start), pageBytes, count),
          );
          if (code !== 'ENOMEM') break;
          expect(one.memory.contents()).toEqual(before);
          expect(one.memory.liveBytes).toBe(bytes);
        }
      }),
      { seed, numRuns: runs(8, 50) },
    );
  });
});
