// SPDX-License-Identifier: Apache-2.0
import { runs, seed } from '@irqkit-test/env';
import { createBoard } from '@irqkit/board';
import { LinuxError, physAddr } from '@irqkit/core';
import type { DmaBuffer } from '@irqkit/core';
import fc from 'fast-check';
import { firmware, RAM_BASE } from './toys/tree.js';
import { expectError } from './toys/expect-error.js';

const MIB = 0x10_0000;

function boardOf(sizeBytes: number, ramBytesLimit?: number) {
  const limit = ramBytesLimit === undefined ? {} : { ramBytesLimit };
  return createBoard({ firmware: firmware({ memory: [RAM_BASE, sizeBytes] }), plugins: [], ...limit });
}

test('buffers are pages from the top of RAM, zeroed, and RAM itself', () => {
  const { bus, ram } = boardOf(16 * MIB);
  const first = bus.memory.alloc(100);
  const second = bus.memory.alloc(0x1001);
  expect([first.base, first.sizeBytes]).toEqual([RAM_BASE + 16 * MIB - 0x1000, 0x1000]);
  expect([second.base, second.sizeBytes]).toEqual([RAM_BASE + 16 * MIB - 0x3000, 0x2000]);
  second.words[1] = 0x0403_0201;
  const seen = new Uint8Array(4);
  ram.load(physAddr(second.base + 4), seen);
  expect([...seen]).toEqual([1, 2, 3, 4]);
  ram.store(physAddr(second.base + 6), new Uint8Array([9]));
  expect(second.words[1]).toBe(0x0409_0201);
  expect(second.bytes[6]).toBe(9);
  bus.memory.free(second);
  expect([...bus.memory.alloc(0x2000).bytes.subarray(4, 8)]).toEqual([0, 0, 0, 0]);
});

test('alignment is kept, and a small buffer never crosses its chunk', () => {
  const { memory } = boardOf(16 * MIB).bus;
  expect(memory.alloc(0x1000, 0x1_0000).base).toBe(RAM_BASE + 16 * MIB - 0x1_0000);
  const crossing = memory.alloc(0xff000);
  expect(crossing.base % MIB).toBe(0x1000);
  expect(memory.alloc(0x1000, 4 * MIB).base % (4 * MIB)).toBe(0);
});

test('a buffer of several chunks is one block that stays coherent with RAM at every byte', () => {
  const { bus, ram, access } = boardOf(16 * MIB);
  ram.store(physAddr(RAM_BASE + 16 * MIB - 1), new Uint8Array([0x77]));
  const big = bus.memory.alloc(2 * MIB + 0x3000, 0x1_0000);
  expect(big.sizeBytes).toBe(2 * MIB + 0x3000);
  for (const offset of [0, MIB - 1, MIB, 2 * MIB, big.sizeBytes - 1]) {
    big.bytes[offset] = offset % 251;
    expect(access.read(physAddr(big.base + offset), 1, 0)).toBe(offset % 251);
    access.write(physAddr(big.base + offset), 0xa5, 1, 0);
    expect(big.bytes[offset]).toBe(0xa5);
  }
  const tail = new Uint8Array(1);
  ram.load(physAddr(RAM_BASE + 16 * MIB - 1), tail);
  expect(tail[0]).toBe(0x77);
});

test('ENOMEM when RAM or its limit is exhausted, with nothing taken', () => {
  const { memory } = boardOf(2 * MIB).bus;
  const all = [memory.alloc(MIB), memory.alloc(MIB)];
  expectError(() => memory.alloc(1), 'ENOMEM');
  all.forEach((buffer) => memory.free(buffer));
  expect(memory.alloc(2 * MIB).base).toBe(RAM_BASE);
  const limited = boardOf(16 * MIB, 3 * MIB).bus.memory;
  expectError(() => limited.alloc(4 * MIB), 'ENOMEM');
  expect(limited.alloc(3 * MIB).sizeBytes).toBe(3 * MIB);
});

test('EINVAL: freeing twice, freeing what is of another board, asking for nothing or for no power of two', () => {
  const { memory } = boardOf(MIB).bus;
  const buffer = memory.alloc(0x1000);
  memory.free(buffer);
  expectError(() => memory.free(buffer), 'EINVAL');
  expectError(() => memory.free(boardOf(MIB).bus.memory.alloc(0x1000)), 'EINVAL');
  expectError(() => memory.alloc(0), 'EINVAL');
  expectError(() => memory.alloc(0x1000, 0x3000), 'EINVAL');
});

test('random allocation: buffers never share a byte, all show RAM, and nothing leaks', () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 0x8000 }), fc.integer({ min: 1, max: 3 * MIB }));
  const step = fc.oneof(
    fc.record({ size, align: fc.constantFrom(0x1000, 0x1_0000, MIB) }),
    fc.record({ victim: fc.nat(20) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { bus, ram } = boardOf(16 * MIB);
      const live: DmaBuffer[] = [];
      const release = (buffer: DmaBuffer) => {
        expect(buffer.bytes[buffer.sizeBytes - 1]).toBe(buffer.words[0] % 256);
        bus.memory.free(buffer);
      };
      let mark = 0;
      for (const step of steps) {
        if ('victim' in step) {
          live.splice(step.victim, 1).forEach(release);
          continue;
        }
        let buffer: DmaBuffer;
        try {
          buffer = bus.memory.alloc(step.size, step.align);
        } catch (error) {
          expect(LinuxError.is(error, 'ENOMEM')).toBe(true);
          continue;
        }
        expect(buffer.base % step.align).toBe(0);
        for (const { base, sizeBytes } of live)
          expect(base >= buffer.base + buffer.sizeBytes || buffer.base >= base + sizeBytes).toBe(true);
        expect(buffer.bytes.every((byte) => byte === 0)).toBe(true);
        mark = (mark + 1) % 256;
        ram.store(buffer.base, new Uint8Array([mark]));
        ram.store(physAddr(buffer.base + buffer.sizeBytes - 1), new Uint8Array([mark]));
        live.push(buffer);
      }
      live.splice(0).forEach(release);
      expect(bus.memory.alloc(16 * MIB).base).toBe(RAM_BASE);
    }),
    { seed, numRuns: runs(25, 500) },
  );
});
