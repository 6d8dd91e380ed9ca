// SPDX-License-Identifier: Apache-2.0
import { runs, seed } from '@irqkit-test/env';
import { createBoard } from '@irqkit/board';
import { physAddr } from '@irqkit/core';
import type { PhysAddr } from '@irqkit/core';
import fc from 'fast-check';
import { messages } from './toys/machine.js';
import { firmware, node, RAM_BASE } from './toys/tree.js';
import { expectError } from './toys/expect-error.js';

const MIB = 0x10_0000;

function ramOf(memory: readonly number[], ramBytesLimit?: number) {
  return createBoard({ firmware: firmware({ memory }), plugins: [], ...(ramBytesLimit && { ramBytesLimit }) });
}

function load(board: ReturnType<typeof ramOf>, pa: number, count: number): number[] | undefined {
  const into = new Uint8Array(count).fill(0xee);
  return board.ram.load(physAddr(pa), into) ? [...into] : undefined;
}

test('64 GiB of RAM cost nothing until they are written, and then a chunk', () => {
  const tree = firmware({ memory: [] });
  const memory = [{ base: physAddr(0x1_0000_0000), sizeBytes: 2 ** 36 }];
  const facts = { nodes: tree.nodes, root: tree.root, cpus: tree.cpus, memory };
  const board = createBoard({ firmware: { ...facts, find: () => undefined, byPhandle: () => undefined }, plugins: [] });
  expect(load(board, 0x8_0000_0000, 4)).toEqual([0, 0, 0, 0]);
  expect(board.ram.committedBytes).toBe(0);
  expect(board.ram.store(physAddr(0x10_ffff_fffe), new Uint8Array([1, 2]))).toBe(true);
  expect(load(board, 0x10_ffff_fffc, 4)).toEqual([0, 0, 1, 2]);
  expect(board.ram.committedBytes).toBe(MIB);
});

test('a range that is not RAM to its last byte is refused whole', () => {
  const board = ramOf([RAM_BASE, MIB]);
  const into = new Uint8Array([9, 9]);
  expect(board.ram.load(physAddr(RAM_BASE + MIB - 1), into)).toBe(false);
  expect([...into]).toEqual([9, 9]);
  expect(board.ram.store(physAddr(RAM_BASE + MIB - 1), new Uint8Array([1, 2]))).toBe(false);
  expect(load(board, RAM_BASE + MIB - 1, 1)).toEqual([0]);
});

test('load64 reads one aligned doubleword, low word first', () => {
  const board = ramOf([RAM_BASE, 2 * MIB]);
  const into = new Uint32Array([8, 9]);
  board.ram.store(physAddr(RAM_BASE + MIB - 8), Uint8Array.of(1, 2, 3, 4, 0xff, 6, 7, 0x88));
  expect(board.ram.load64(physAddr(RAM_BASE + MIB - 8), into)).toBe(true);
  expect([...into]).toEqual([0x0403_0201, 0x8807_06ff]);
  expect(board.ram.load64(physAddr(RAM_BASE + MIB), into)).toBe(true);
  expect([...into]).toEqual([0, 0]);
  expect(board.ram.committedBytes).toBe(MIB);
});

test('load64 refuses what is no multiple of 8 or not RAM to its last byte, and leaves the words alone', () => {
  const board = ramOf([RAM_BASE, MIB + 4, 0x10_0000_0004, MIB]);
  const into = new Uint32Array([8, 9]);
  const refused = [RAM_BASE + 4, RAM_BASE + 1, RAM_BASE - 8, RAM_BASE + MIB, 0x10_0000_0000, NaN, 2 ** 52];
  expect(refused.map((pa) => board.ram.load64(pa as PhysAddr, into))).toEqual(refused.map(() => false));
  expect([...into]).toEqual([8, 9]);
  expect(board.ram.load64(physAddr(RAM_BASE + MIB - 8), into)).toBe(true);
});

test('load64 sees what a large DMA buffer, processors and a restored state put there', () => {
  const board = ramOf([RAM_BASE, 4 * MIB]);
  const at = physAddr(RAM_BASE + 2 * MIB + 16);
  const words = () => {
    const into = new Uint32Array(2);
    board.ram.load64(at, into);
    return [...into];
  };
  board.access.write64(at, 1, 2, 0);
  expect(words()).toEqual([1, 2]);
  const state = board.save();
  const buffer = board.bus.memory.alloc(2 * MIB);
  expect([buffer.base, words()]).toEqual([RAM_BASE + 2 * MIB, [0, 0]]);
  buffer.words.set([3, 4], 4);
  expect(words()).toEqual([3, 4]);
  board.restore(state);
  expect(words()).toEqual([1, 2]);
});

test('load64 agrees with load wherever it reads, in whatever order, while RAM is written and placed anew', () => {
  const size = 4 * MIB + 24;
  const at = fc.oneof(
    fc.integer({ min: 0, max: size / 8 }).map((n) => n * 8),
    fc.constantFrom(MIB - 8, MIB, 3 * MIB, 4 * MIB, 4 * MIB + 16, 4 * MIB + 24, -8, 2 ** 32, 4),
  );
  const step = fc.record({ at, op: fc.constantFrom('read', 'read', 'write', 'alloc') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const board = ramOf([RAM_BASE, size]);
      const into = new Uint32Array(2);
      steps.forEach(({ at, op }, i) => {
        const pa = physAddr(RAM_BASE + at);
        if (op === 'alloc') board.bus.memory.free(board.bus.memory.alloc(2 * MIB));
        if (op === 'write') board.ram.store(pa, Uint8Array.of(i, 2, 3, 4, 5, 6, 7, i + 0x80));
        const bytes = new Uint8Array(8);
        const isRam = board.ram.load(pa, bytes) && at % 8 === 0;
        expect(board.ram.load64(pa, into)).toBe(isRam);
        if (isRam) expect(new Uint8Array(into.buffer)).toEqual(bytes);
      });
    }),
    { seed, numRuns: runs(25, 1000) },
  );
});

test('memory regions that touch or overlap are one; empty ones are none', () => {
  const board = ramOf([RAM_BASE + 2 * MIB, MIB, RAM_BASE, 2 * MIB, RAM_BASE + MIB, MIB, 0x1000, 0]);
  expect(board.ram.regions.map(({ base, sizeBytes }) => [base, sizeBytes])).toEqual([[RAM_BASE, 3 * MIB]]);
  expect(board.ram.store(physAddr(RAM_BASE + 2 * MIB - 1), new Uint8Array([5, 6]))).toBe(true);
  expect(load(board, RAM_BASE + 2 * MIB - 1, 2)).toEqual([5, 6]);
});

test('a CPU sees little-endian words, also across chunks and off alignment', () => {
  const board = ramOf([RAM_BASE, 2 * MIB]);
  const at = physAddr(RAM_BASE + MIB - 2);
  board.access.write(at, 0x1122_3344, 4, 0);
  expect(load(board, at, 4)).toEqual([0x44, 0x33, 0x22, 0x11]);
  expect(board.access.read(at, 4, 1)).toBe(0x1122_3344);
  expect(board.access.read(physAddr(at + 1), 2, 0)).toBe(0x2233);
  board.access.write64(physAddr(RAM_BASE + 8), 0xffff_ffff, 0x8000_0001, 0);
  expect(load(board, RAM_BASE + 8, 8)).toEqual([255, 255, 255, 255, 1, 0, 0, 0x80]);
});

test('beyond the limit stores are refused, CPU writes are lost, and the log says so', () => {
  const board = ramOf([RAM_BASE, 4 * MIB], MIB);
  expect(board.ram.store(physAddr(RAM_BASE), new Uint8Array([1]))).toBe(true);
  expect(board.ram.store(physAddr(RAM_BASE + MIB), new Uint8Array([1]))).toBe(false);
  board.access.write(physAddr(RAM_BASE + MIB), 1, 4, 0);
  expect(board.access.read(physAddr(RAM_BASE + MIB), 4, 0)).toBe(0);
  expect(messages(board)[0]).toBe('/: more than 0x100000 bytes of RAM written, the limit of this board');
});

test('random loads and stores agree with one flat array', () => {
  const size = 3 * MIB + 0x1234;
  const near = fc.oneof(fc.integer({ min: 0, max: size + 64 }), fc.constantFrom(MIB - 5, 2 * MIB - 3, size - 7));
  const step = fc.record({ at: near, bytes: fc.uint8Array({ minLength: 1, maxLength: 200 }), isStore: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const board = ramOf([RAM_BASE, size]);
      const flat = new Uint8Array(size);
      for (const { at, bytes, isStore } of steps) {
        const inside = at + bytes.length <= size;
        if (isStore) {
          expect(board.ram.store(physAddr(RAM_BASE + at), bytes)).toBe(inside);
          if (inside) flat.set(bytes, at);
        } else
          expect(load(board, RAM_BASE + at, bytes.length)).toEqual(
            inside ? [...flat.subarray(at, at + bytes.length)] : undefined,
          );
      }
    }),
    { seed, numRuns: runs(25, 1000) },
  );
});

test('reserved memory is RAM, but no DMA buffer lies there', () => {
  const reserved = node('pool@40100000', { reg: [RAM_BASE + MIB, MIB] });
  const holder = node('reserved-memory', { '#address-cells': [1], '#size-cells': [1], ranges: [] }, reserved);
  const board = createBoard({ firmware: firmware({ memory: [RAM_BASE, 2 * MIB] }, holder), plugins: [] });
  expect(board.bus.memory.alloc(MIB).base).toBe(RAM_BASE);
  expectError(() => board.bus.memory.alloc(0x1000), 'ENOMEM');
  expect(board.ram.store(physAddr(RAM_BASE + MIB), new Uint8Array([1]))).toBe(true);
});
