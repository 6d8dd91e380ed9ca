// SPDX-License-Identifier: Apache-2.0
// Page tables in memory of their own, and a model that walks them by their registers.

import { createPageTable, TablePool } from '@irqkit/pgtable/build';
import type { GranuleBytes, PageTable } from '@irqkit/pgtable/build';
import { createRegime, createWalker, stage2StartLevel, walkResult } from '@irqkit/pgtable/walk';
import type { WalkResult } from '@irqkit/pgtable/walk';
import { FakeMemory } from './fake-memory.js';

export const PATH = '/smmu@9050000';

export interface Geometry {
  readonly stage: 1 | 2;
  readonly granuleBytes: GranuleBytes;
  readonly iasBits: number;
  readonly oasBits: number;
}

export const KIB4 = 0x1000;
export const KIB16 = 0x4000;
export const KIB64 = 0x1_0000;

export interface Rig {
  readonly memory: FakeMemory;
  readonly pool: TablePool;
  readonly table: PageTable;
  /** What flushWalk was told, and how many tables were in use then. */
  readonly flushes: { iova: number; sizeBytes: number; granuleBytes: number; nrTables: number }[];
}

/** Chunks of one table each unless told otherwise, so that each table is an allocation. */
export function rig(geometry: Geometry, { memory = new FakeMemory(), chunkTables = 1 } = {}): Rig {
  const { granuleBytes } = geometry;
  const pool = new TablePool({
    path: PATH,
    memory,
    tableBytes: granuleBytes,
    addressBits: geometry.oasBits,
    chunkBytes: granuleBytes * chunkTables,
  });
  const flushes: Rig['flushes'] = [];
  const table = createPageTable({
    path: PATH,
    ...geometry,
    memory: pool,
    flushWalk: (iova, sizeBytes, granule) =>
      flushes.push({ iova, sizeBytes, granuleBytes: granule, nrTables: pool.nrTables }),
  });
  return { memory, pool, table, flushes };
}

/** By TG0. */
const GRANULES = [KIB4, KIB64, KIB16] as const;

/** Walks a table as hardware with its registers does: `outputBits` is what IPS or PS says. */
export function walkerOf({ memory, table }: Rig): (iova: number, access: number) => WalkResult {
  const { registers } = table;
  const granuleBytes = GRANULES[registers.TG0];
  const size = registers.stage === 1 ? registers.IPS : registers.PS;
  const outputBits = [32, 36, 40, 42, 44, 48, 52][size];
  const regime = createRegime({
    stage: registers.stage,
    granuleBytes,
    inputBits: 64 - registers.T0SZ,
    startLevel: registers.stage === 2 ? stage2StartLevel(granuleBytes, registers.SL0, outputBits) : undefined,
    ttb: registers.stage === 1 ? registers.ttbr : registers.vttbr,
    outputBits,
  });
  if (regime === undefined) throw new Error('the registers say nothing that hardware takes');
  const walk = createWalker(memory.load64);
  const result = walkResult();
  return (iova, access) => {
    walk(regime, Math.floor(iova / 2 ** 32), iova | 0, access, result);
    return result;
  };
}

/** The code of the LinuxError that `work` throws. */
export function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'nothing thrown';
}
