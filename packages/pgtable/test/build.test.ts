// SPDX-License-Identifier: Apache-2.0
// What drivers build, beside descriptors worked out by hand from Arm DDI 0487, chapter D8, with the attributes that Linux 6.1
// chooses.

import { IOMMU_PROT, iova, physAddr } from '@irqkit/core';
import { chooseGranule, createPageTable, TablePool } from '@irqkit/pgtable/build';
import { FakeMemory } from './fake-memory.js';
import { codeOf, KIB16, KIB4, KIB64, PATH, rig } from './tables.js';
import type { Geometry } from './tables.js';

const { READ, WRITE, CACHE, NOEXEC, MMIO, PRIV } = IOMMU_PROT;
const MIB2 = 0x20_0000;
const STAGE1: Geometry = { stage: 1, granuleBytes: KIB4, iasBits: 48, oasBits: 48 };

interface Case {
  readonly title: string;
  readonly geometry: Geometry;
  readonly map: readonly [address: number, pa: number, pageBytes: number, prot: number];
  /** Every word that is not zero; the first table is at 0x40000000, the others follow. */
  readonly words: Readonly<Record<number, bigint>>;
}

const CASES: Case[] = [
  {
    title: 'stage 1, 4K page',
    geometry: STAGE1,
    map: [0x12_3456_7000, 0x8_9abc_d000, KIB4, READ | WRITE | CACHE],
    words: {
      0x4000_0000: 0x4000_1003n,
      0x4000_1240: 0x4000_2003n,
      0x4000_2d10: 0x4000_3003n,
      0x4000_3b38: 0x8_9abc_df47n,
    },
  },
  {
    title: 'stage 1, 2M block of device memory',
    geometry: STAGE1,
    map: [MIB2, 0x8_0020_0000, MIB2, READ | WRITE | MMIO | NOEXEC],
    words: { 0x4000_0000: 0x4000_1003n, 0x4000_1000: 0x4000_2003n, 0x4000_2008: 0x0060_0008_0020_0e49n },
  },
  {
    title: 'stage 1, 1G block, from level 1',
    geometry: { ...STAGE1, iasBits: 39 },
    map: [0x7f_c000_0000, 0x80_4000_0000, 2 ** 30, WRITE | PRIV],
    words: { 0x4000_0ff8: 0x80_4000_0e01n },
  },
  {
    title: 'stage 1, 16K page that is read-only',
    geometry: { stage: 1, granuleBytes: KIB16, iasBits: 36, oasBits: 48 },
    map: [0x4000, 0x8000, KIB16, READ],
    words: { 0x4000_0000: 0x4000_4003n, 0x4000_4008: 0x8ec3n },
  },
  {
    title: 'stage 1, 64K page with a 52-bit address',
    geometry: { stage: 1, granuleBytes: KIB64, iasBits: 48, oasBits: 52 },
    map: [0x1_0000, 0xf_0000_0001_0000, KIB64, READ | WRITE | PRIV],
    words: { 0x4000_0000: 0x4001_0003n, 0x4001_0000: 0x4002_0003n, 0x4002_0008: 0x1_fe03n },
  },
  {
    title: 'stage 2, 4K page for a doorbell, two tables side by side',
    geometry: { stage: 2, granuleBytes: KIB4, iasBits: 40, oasBits: 40 },
    map: [2 ** 39, 0x802_0000, KIB4, WRITE | NOEXEC | MMIO],
    words: { 0x4000_1000: 0x4000_2003n, 0x4000_2000: 0x4000_3003n, 0x4000_3000: 0x0060_0000_0802_0687n },
  },
  {
    title: 'stage 2, 32M block of 16K, two tables side by side',
    geometry: { stage: 2, granuleBytes: KIB16, iasBits: 48, oasBits: 48 },
    map: [2 ** 47 + 0x200_0000, 0x600_0000, 0x200_0000, READ | CACHE],
    words: { 0x4000_4000: 0x4000_8003n, 0x4000_8008: 0x600_077dn },
  },
  {
    title: 'stage 2, 512M block of 64K in the first table',
    geometry: { stage: 2, granuleBytes: KIB64, iasBits: 42, oasBits: 44 },
    map: [0x2000_0000, 0x4000_0000, 0x2000_0000, READ | WRITE],
    words: { 0x4000_0008: 0x4000_06d5n },
  },
];

it.each(CASES)('writes the words of a $title', ({ geometry, map: [address, pa, pageBytes, prot], words }) => {
  const { table, memory } = rig(geometry);
  table.mapPages(iova(address), physAddr(pa), pageBytes, 1, prot);
  expect(Object.fromEntries(memory.contents())).toEqual(words);
  expect(table.iovaToPhys(iova(address + 0x123))).toBe(pa + 0x123);
  expect(table.unmapPages(iova(address), pageBytes, 1)).toBe(pageBytes);
  expect(memory.contents().size).toBe(0);
});

describe('a block of which a part goes', () => {
  const mapped = () => {
    const one = rig(STAGE1);
    one.table.mapPages(iova(MIB2), physAddr(0x8_0020_0000), MIB2, 1, READ | WRITE | NOEXEC);
    return one;
  };

  it('is split into pages with its attributes', () => {
    const { table, memory, flushes } = mapped();
    expect(table.unmapPages(iova(MIB2), KIB4, 1)).toBe(KIB4);
    expect(memory.word64(0x4000_2008)).toBe(0x4000_3003n);
    expect(memory.word64(0x4000_3000)).toBe(0n);
    expect(memory.word64(0x4000_3008)).toBe(0x0060_0008_0020_1e43n);
    expect(memory.word64(0x4000_3ff8)).toBe(0x0060_0008_003f_fe43n);
    expect(flushes).toEqual([]);
  });

  it('stays whole where there is no table for it', () => {
    const { table, memory } = mapped();
    const before = memory.contents();
    memory.left = 0;
    expect(codeOf(() => table.unmapPages(iova(MIB2 + KIB4), KIB4, 1))).toBe('ENOMEM');
    expect(memory.contents()).toEqual(before);
  });

  it('of 1G is split twice at one end', () => {
    const { table, pool } = rig(STAGE1);
    table.mapPages(iova(0), physAddr(2 ** 32), 2 ** 30, 1, READ);
    expect(pool.nrTables).toBe(1);
    expect(table.unmapPages(iova(0), KIB4, 3)).toBe(3 * KIB4);
    expect(pool.nrTables).toBe(3);
    expect(table.iovaToPhys(iova(0x2fff))).toBeUndefined();
    expect(table.iovaToPhys(iova(0x3000))).toBe(2 ** 32 + 0x3000);
    expect(table.iovaToPhys(iova(2 ** 30 - 1))).toBe(2 ** 32 + 2 ** 30 - 1);
  });
});

describe('tables that are empty', () => {
  it('go in one flush, before their memory does', () => {
    const { table, pool, flushes } = rig(STAGE1);
    table.mapPages(iova(MIB2), physAddr(0), KIB4, 1024, READ);
    expect(pool.nrTables).toBe(4);
    expect(table.unmapPages(iova(MIB2), KIB4, 1024)).toBe(2 * MIB2);
    expect(flushes).toEqual([{ iova: 0, sizeBytes: 2 ** 39, granuleBytes: KIB4, nrTables: 4 }]);
    expect(pool.nrTables).toBe(0);
  });

  it('make room for a block', () => {
    const { table, memory } = rig(STAGE1);
    table.mapPages(iova(0), physAddr(0), MIB2, 1, READ);
    table.mapPages(iova(MIB2), physAddr(0), KIB4, 1, READ);
    expect(codeOf(() => table.mapPages(iova(MIB2), physAddr(0), MIB2, 1, READ))).toBe('EEXIST');
    table.unmapPages(iova(MIB2), KIB4, 1);
    table.mapPages(iova(MIB2), physAddr(0), MIB2, 1, READ);
    expect(memory.word64(0x4000_2008)).toBe(0xec1n);
  });

  it('leave no table behind where others are', () => {
    const { table, pool, flushes } = rig(STAGE1);
    table.mapPages(iova(0), physAddr(0), KIB4, 1, READ);
    table.mapPages(iova(MIB2), physAddr(0), KIB4, 1, READ);
    table.unmapPages(iova(MIB2), KIB4, 1);
    expect(flushes).toEqual([{ iova: MIB2, sizeBytes: MIB2, granuleBytes: KIB4, nrTables: 4 }]);
    expect(pool.nrTables).toBe(3);
  });
});

it('unmaps to the first hole, whatever the sizes asked for', () => {
  const { table } = rig(STAGE1);
  table.mapPages(iova(0), physAddr(0), MIB2, 1, READ);
  table.mapPages(iova(MIB2), physAddr(0), KIB4, 5, READ);
  expect(table.unmapPages(iova(0), MIB2, 2)).toBe(MIB2 + 5 * KIB4);
  expect(table.unmapPages(iova(0), MIB2, 2)).toBe(0);
});

it('refuses what does not fit, and changes nothing', () => {
  const { table, memory } = rig({ ...STAGE1, iasBits: 40, oasBits: 44 });
  table.mapPages(iova(MIB2), physAddr(0), MIB2, 1, READ);
  const before = memory.contents();
  const map = (at: number, pa: number, pageBytes: number, count: number, prot: number) =>
    codeOf(() => table.mapPages(at as never, pa as never, pageBytes, count, prot));
  expect(map(0x1234, 0, KIB4, 1, READ)).toBe('EINVAL');
  expect(map(0.5, 0, KIB4, 1, READ)).toBe('EINVAL');
  expect(map(-KIB4, 0, KIB4, 1, READ)).toBe('EINVAL');
  expect(map(0, 0x800, KIB4, 1, READ)).toBe('EINVAL');
  expect(map(KIB4, 0, MIB2, 1, READ)).toBe('EINVAL');
  expect(map(0, 0, KIB16, 1, READ)).toBe('EINVAL');
  expect(map(0, 0, KIB4, 1.5, READ)).toBe('EINVAL');
  expect(map(0, 0, KIB4, 1, CACHE | NOEXEC)).toBe('EINVAL');
  expect(map(2 ** 40, 0, KIB4, 1, READ)).toBe('ERANGE');
  expect(map(2 ** 40 - KIB4, 0, KIB4, 2, READ)).toBe('ERANGE');
  expect(map(0, 2 ** 44, KIB4, 1, READ)).toBe('ERANGE');
  expect(map(0, 2 ** 44 - KIB4, KIB4, 2, READ)).toBe('ERANGE');
  expect(map(MIB2 + KIB4, 0, KIB4, 1, READ)).toBe('EEXIST');
  expect(map(0, 0, KIB4, 513, READ)).toBe('EEXIST');
  expect(map(0, 0, MIB2, 3, READ)).toBe('EEXIST');
  expect(codeOf(() => table.unmapPages(0x800 as never, KIB4, 1))).toBe('EINVAL');
  expect(codeOf(() => table.unmapPages(iova(0), KIB64, 1))).toBe('EINVAL');
  expect(table.unmapPages(iova(2 ** 40), KIB4, 1)).toBe(0);
  expect(table.iovaToPhys(iova(2 ** 40))).toBeUndefined();
  expect(memory.contents()).toEqual(before);
});

describe('registers', () => {
  it.each<[Geometry, object]>([
    [{ ...STAGE1 }, { T0SZ: 16, TG0: 0, IPS: 5 }],
    [
      { ...STAGE1, granuleBytes: KIB16, iasBits: 36, oasBits: 36 },
      { T0SZ: 28, TG0: 2, IPS: 1 },
    ],
    [
      { ...STAGE1, granuleBytes: KIB64, iasBits: 52, oasBits: 52 },
      { T0SZ: 12, TG0: 1, IPS: 6 },
    ],
    [
      { ...STAGE1, iasBits: 52, oasBits: 52 },
      { T0SZ: 16, TG0: 0, IPS: 5 },
    ],
  ])('of %j', (geometry, fields) => {
    const { table } = rig({
      ...geometry,
      oasBits: Math.min(geometry.oasBits, geometry.granuleBytes === KIB64 ? 52 : 48),
    });
    const walks = { IRGN0: 1, ORGN0: 1, SH0: 3, mair: [0xf404_ff44, 0] };
    expect(table.registers).toEqual({ stage: 1, ttbr: 0x4000_0000, ...walks, ...fields });
  });

  it.each([
    [KIB4, 48, 48, { T0SZ: 16, SL0: 2, TG0: 0, PS: 5 }],
    [KIB4, 44, 44, { T0SZ: 20, SL0: 2, TG0: 0, PS: 4 }],
    [KIB4, 42, 42, { T0SZ: 22, SL0: 1, TG0: 0, PS: 3 }],
    [KIB4, 40, 44, { T0SZ: 24, SL0: 1, TG0: 0, PS: 4 }],
    [KIB4, 32, 32, { T0SZ: 32, SL0: 1, TG0: 0, PS: 0 }],
    [KIB16, 48, 48, { T0SZ: 16, SL0: 2, TG0: 2, PS: 5 }],
    [KIB16, 40, 40, { T0SZ: 24, SL0: 1, TG0: 2, PS: 2 }],
    [KIB64, 52, 52, { T0SZ: 12, SL0: 2, TG0: 1, PS: 6 }],
    [KIB64, 42, 42, { T0SZ: 22, SL0: 1, TG0: 1, PS: 3 }],
  ] as const)('of stage 2, granule %d, %d to %d bits', (granuleBytes, iasBits, oasBits, fields) => {
    const { table } = rig({ stage: 2, granuleBytes, iasBits, oasBits });
    const walks = { IRGN0: 1, ORGN0: 1, SH0: 3 };
    expect(table.registers).toEqual({ stage: 2, vttbr: expect.any(Number) as number, ...walks, ...fields });
  });

  it('ask for no caches where hardware does not look into them', () => {
    const options = { path: PATH, ...STAGE1, memory: new FakeMemory(), flushWalk: () => undefined };
    expect(createPageTable({ ...options, coherentWalk: false }).registers).toMatchObject({
      IRGN0: 0,
      ORGN0: 0,
      SH0: 2,
    });
  });
});

it.each([
  [KIB4, [0x1000, MIB2, 2 ** 30], 48],
  [KIB16, [0x4000, 0x200_0000], 48],
  [KIB64, [0x1_0000, 0x2000_0000], 48],
  [KIB64, [0x1_0000, 0x2000_0000, 2 ** 42], 52],
] as const)('has the page sizes of granule %d', (granuleBytes, pageSizes, oasBits) => {
  expect(rig({ stage: 1, granuleBytes, iasBits: 48, oasBits }).table.pageSizes).toEqual(pageSizes);
});

it.each([
  [{ granuleBytes: 0x2000 as never }],
  [{ iasBits: 31 }],
  [{ iasBits: 40.5 }],
  [{ oasBits: 43 }],
  [{ stage: 2 as const, iasBits: 44, oasBits: 40 }],
])('refuses %j', (wrong) => {
  const memory = new FakeMemory();
  const options = { path: PATH, ...STAGE1, memory, flushWalk: () => undefined, ...wrong };
  expect(codeOf(() => createPageTable(options))).toBe('EINVAL');
  expect(memory.liveBytes).toBe(0);
});

describe('a pool', () => {
  const poolOf = (memory: FakeMemory, addressBits = 48) =>
    new TablePool({ path: PATH, memory, tableBytes: KIB4, addressBits, chunkBytes: 4 * KIB4, spareBytes: 8 * KIB4 });
  const tableIn = (pool: TablePool) =>
    createPageTable({ path: PATH, ...STAGE1, memory: pool, flushWalk: () => undefined });

  it('serves several page tables, and is empty when the last one goes', () => {
    const memory = new FakeMemory();
    const pool = poolOf(memory);
    const [one, other] = [tableIn(pool), tableIn(pool)];
    one.mapPages(iova(0), physAddr(0), KIB4, 512 * 16, READ);
    other.mapPages(iova(0), physAddr(KIB4), KIB4, 1, READ);
    expect([one.iovaToPhys(iova(0)), other.iovaToPhys(iova(0))]).toEqual([0, KIB4]);
    expect([pool.sizeBytes, pool.nrTables]).toEqual([24 * KIB4, 21]);
    one.free();
    expect([pool.sizeBytes, pool.nrTables]).toEqual([12 * KIB4, 3]);
    expect(other.iovaToPhys(iova(5))).toBe(KIB4 + 5);
    other.free();
    expect([memory.liveBytes, pool.nrTables, pool.sizeBytes]).toEqual([0, 0, 0]);
  });

  it('keeps empty chunks up to what it was told', () => {
    const memory = new FakeMemory();
    const pool = poolOf(memory);
    const table = tableIn(pool);
    table.mapPages(iova(0), physAddr(0), KIB4, 512 * 16, READ);
    expect(pool.sizeBytes).toBe(20 * KIB4);
    table.unmapPages(iova(0), KIB4, 512 * 16);
    expect([pool.sizeBytes, pool.nrTables]).toEqual([8 * KIB4, 0]);
    const { nrAllocations } = memory;
    table.mapPages(iova(0), physAddr(0), KIB4, 512 * 5, READ);
    expect([pool.sizeBytes, memory.nrAllocations]).toEqual([8 * KIB4, nrAllocations]);
  });

  it('takes no memory that descriptors cannot lead to', () => {
    const memory = new FakeMemory(2 ** 40);
    expect(
      codeOf(() => createPageTable({ path: PATH, ...STAGE1, oasBits: 40, memory, flushWalk: () => undefined })),
    ).toBe('ENOMEM');
    expect(memory.liveBytes).toBe(0);
  });

  it('is for tables of one size and reach', () => {
    const pool = poolOf(new FakeMemory());
    const options = { path: PATH, ...STAGE1, memory: pool, flushWalk: () => undefined };
    expect(codeOf(() => createPageTable({ ...options, granuleBytes: KIB16 }))).toBe('EINVAL');
    expect(codeOf(() => createPageTable({ ...options, oasBits: 44 }))).toBe('EINVAL');
    const wrong = { path: PATH, memory: new FakeMemory(), tableBytes: KIB4, addressBits: 48, chunkBytes: 0x1800 };
    expect(codeOf(() => new TablePool(wrong))).toBe('EINVAL');
  });
});

it.each([
  [[KIB64, KIB4], KIB4],
  [[KIB64, KIB16], KIB16],
  [[KIB64], KIB64],
] as const)('of %j the granule is %d', (granules, chosen) => {
  expect(chooseGranule(PATH, granules)).toBe(chosen);
});

it('prefers pages of the processor, and refuses hardware without any', () => {
  expect(chooseGranule(PATH, [KIB4, KIB16, KIB64], KIB64)).toBe(KIB64);
  expect(chooseGranule(PATH, [KIB4, KIB16], KIB64)).toBe(KIB16);
  expect(codeOf(() => chooseGranule(PATH, []))).toBe('EINVAL');
});
