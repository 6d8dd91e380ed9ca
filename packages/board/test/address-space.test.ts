// SPDX-License-Identifier: Apache-2.0
import { createBoard } from '@irqkit/board';
import { definePlugin, physAddr } from '@irqkit/core';
import type { MmioModel, Model, Region } from '@irqkit/core';
import { INTC, machine, messages, REGS } from './toys/machine.js';
import { Regs, toys } from './toys/models.js';
import { firmware, node, RAM_BASE } from './toys/tree.js';
import { expectError } from './toys/expect-error.js';

test('each reg entry is answered by the frame of its index, at offsets from its base', () => {
  const reads: string[] = [];
  const frame = (name: string): MmioModel => ({
    read: (offset, size) => reads.push(`${name}+${offset}/${size}`),
    write: () => undefined,
  });
  const model: Model = { frames: [frame('a'), frame('b')], save: () => ({ version: 1 }), restore: () => undefined };
  const plugin = definePlugin({
    name: 'two',
    coreApi: 1,
    models: [{ compatible: ['two'], useFactory: () => model }],
  });
  const tree = firmware({}, node('two@9000', { compatible: 'two', reg: [0x9000, 0x10, 0x5000, 0x20, 0x7000, 0x10] }));
  const { access } = createBoard({ firmware: tree, plugins: [plugin] });
  access.read(physAddr(0x500c), 4, 0);
  access.read(physAddr(0x900e), 2, 0);
  expect(access.read(physAddr(0x7000), 1, 0)).toBe(0xff);
  expect(reads).toEqual(['b+12/4', 'a+14/2']);
});

test('a window answers beside the reg entries', () => {
  class Bridge extends Regs {
    readonly windows: readonly { region: Region; model: MmioModel }[] = [
      { region: { base: physAddr(0x8000_0000), sizeBytes: 0x1000_0000 }, model: this },
    ];
  }
  const plugin = definePlugin({
    name: 'bridge',
    coreApi: 1,
    models: [{ compatible: ['bridge'], useFactory: (context) => new Bridge(context) }],
  });
  const tree = firmware({}, node('bridge@9000', { compatible: 'bridge', reg: [0x9000, 0x100] }));
  const board = createBoard({ firmware: tree, plugins: [plugin] });
  board.access.write(physAddr(0x8000_0010), 0x55, 1, 0);
  expect(board.access.read(physAddr(0x9010), 1, 0)).toBe(0x55);
  expect(board.bus.map({ base: physAddr(0x8fff_f000), sizeBytes: 0x1000 }).at(4)).toBe(0x8fff_f004);
});

test('EEXIST names both nodes of an overlap, and RAM', () => {
  const overlapping = (base: number) =>
    firmware(
      {},
      node('one@5000', { compatible: 'toy,regs', reg: [0x5000, 0x100] }),
      node('other', { compatible: 'toy,regs', reg: [base, 0x100] }),
    );
  expectError(
    () => createBoard({ firmware: overlapping(0x50ff), plugins: [toys] }),
    'EEXIST',
    /^\/other: \[0x50ff, 0x51ff\) overlaps \[0x5000, 0x5100\) of \/one@5000/,
  );
  expectError(() => createBoard({ firmware: overlapping(0x4f01), plugins: [toys] }), 'EEXIST', /one@5000/);
  expectError(
    () => createBoard({ firmware: overlapping(RAM_BASE + 0x10), plugins: [toys] }),
    'EEXIST',
    /^\/other: .* of \/memory/,
  );
  expect(createBoard({ firmware: overlapping(0x5100), plugins: [toys] }).models.size).toBe(2);
});

test('a mapped region passes offset, width and unsigned value', () => {
  const { regs, map } = machine();
  const region = map(REGS);
  region.write(4, -1, 4);
  region.write(8, 0x1_23ff, 2);
  region.write(0xff, 0x1ab, 1);
  expect(regs.seen.map(({ offset, size, value }) => [offset, size, value])).toEqual([
    [4, 4, 0xffff_ffff],
    [8, 2, 0x23ff],
    [0xff, 1, 0xab],
  ]);
  expect(region.read(4, 4)).toBe(0xffff_ffff);
  expect(region.read(8, 1)).toBe(0xff);
  expect(region.at(8)).toBe(REGS + 8);
});

test('write64 is one store where the frame has it, else the low and then the high word', () => {
  const stores: unknown[] = [];
  class Wide extends Regs {
    write64(offset: number, lo: number, hi: number): void {
      stores.push([offset, lo, hi]);
    }
  }
  const plugin = definePlugin({
    name: 'wide',
    coreApi: 1,
    models: [{ compatible: ['wide'], useFactory: (context) => new Wide(context) }],
  });
  const tree = firmware({}, node('wide@5000', { compatible: 'wide', reg: [0x5000, 0x100] }));
  createBoard({ firmware: tree, plugins: [plugin] })
    .bus.map({ base: physAddr(0x5000), sizeBytes: 0x100 })
    .write64(0x10, -1, 5);
  expect(stores).toEqual([[0x10, 0xffff_ffff, 5]]);
  const { regs, map } = machine();
  map(REGS).write64(0x10, 1, 2);
  expect(regs.seen.map(({ offset, value }) => [offset, value])).toEqual([
    [0x10, 1],
    [0x14, 2],
  ]);
});

test('map refuses with ENXIO what nothing answers to the last byte, EFAULT guards a region, unmap ends it', () => {
  const { board, map } = machine();
  expectError(() => map(REGS, 0x101), 'ENXIO', /0x101 bytes at 0x2000/);
  expectError(() => map(0x9_0000), 'ENXIO', /0x90000/);
  expectError(() => map(REGS, 0), 'ENXIO', /0x0 bytes/);
  expect(map(RAM_BASE, 0x100_0000).sizeBytes).toBe(0x100_0000);
  const region = map(REGS);
  expectError(() => region.read(0xfd, 4), 'EFAULT', /offset 0xfd of 0x2000/);
  expectError(() => region.write(-1, 0, 1), 'EFAULT', /0x2000/);
  expectError(() => region.write64(0xfc, 0, 0), 'EFAULT', /8 bytes/);
  board.bus.unmap(region);
  expectError(() => region.read(0, 4), 'EFAULT', /unmapped/);
  expectError(() => board.bus.unmap(region), 'EINVAL', /0x2000/);
});

test('where nothing answers, reads give all ones, writes are dropped, and the log is told', () => {
  const heard: string[] = [];
  const { board } = machine({}, { log: (entry) => heard.push(`${entry.kind} ${entry.message}`) });
  const nowhere = physAddr(0x9_0000);
  expect([1, 2, 4].map((size) => board.access.read(nowhere, size as 1 | 2 | 4, 1))).toEqual([
    0xff, 0xffff, 0xffff_ffff,
  ]);
  board.access.write(nowhere, 1, 2, 0);
  board.access.write64(nowhere, 1, 2, 0);
  expect(heard).toEqual([
    'guest nothing answers cpu 1 reading 1 bytes at 0x90000',
    'guest nothing answers cpu 1 reading 2 bytes at 0x90000',
    'guest nothing answers cpu 1 reading 4 bytes at 0x90000',
    'guest nothing answers cpu 0 writing 2 bytes at 0x90000',
    'guest nothing answers cpu 0 writing 8 bytes at 0x90000',
  ]);
});

test('an access across the end of a frame is made byte by byte', () => {
  const { board, regs } = machine();
  regs.bytes.set([0xaa, 0xbb], 0xfe);
  expect(board.access.read(physAddr(REGS + 0xfe), 4, 0)).toBe(0xffff_bbaa);
  board.access.write(physAddr(REGS + 0xfe), 0x4433_2211, 4, 0);
  expect([...regs.bytes.subarray(0xfe)]).toEqual([0x11, 0x22]);
  expect(messages(board)).toEqual([]);
});

test('a misaligned access within a frame reaches it as it is', () => {
  const { board, regs } = machine();
  board.access.write(physAddr(REGS + 3), 0x0102_0304, 4, 0);
  expect(regs.seen.map(({ offset, size }) => [offset, size])).toEqual([[3, 4]]);
});

test('banked registers answer for the processor that accesses', () => {
  const { board, map } = machine();
  const { cpus } = board.bus;
  const region = map(INTC);
  region.write(8, 10, 4);
  cpus.runOn(1, () => region.write(8, 11, 4));
  expect(cpus.current).toBe(0);
  expect([region.read(8, 4), cpus.runOn(1, () => region.read(8, 4))]).toEqual([10, 11]);
  expect([0, 1].map((cpu) => board.access.read(physAddr(INTC + 8), 4, cpu))).toEqual([10, 11]);
  expectError(() => cpus.runOn(2, () => 0), 'EINVAL', /no processor 2 among 2/);
  expectError(() => board.access.read(physAddr(INTC), 4, 2), 'EINVAL', /no processor 2/);
  expect(() =>
    cpus.runOn(1, () => {
      throw new Error('inside');
    }),
  ).toThrow('inside');
  expect(cpus.current).toBe(0);
});

test('processors are those of the firmware; a board without any has one', () => {
  expect(machine({ nrCpus: 3 }).board.bus.cpus.mpidr).toEqual([0, 1, 2]);
  expect(createBoard({ firmware: firmware({ nrCpus: 0 }), plugins: [] }).bus.cpus.mpidr).toEqual([0]);
});
