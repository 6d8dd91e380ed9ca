// SPDX-License-Identifier: Apache-2.0
import { createBoard } from '@irqkit/board';
import { physAddr } from '@irqkit/core';
import { DEV, INTC, machine, REGS } from './toys/machine.js';
import { toys } from './toys/models.js';
import { firmware, RAM_BASE } from './toys/tree.js';
import { expectError } from './toys/expect-error.js';

test('a saved board continues in another: RAM, registers, wires, and a line that nobody has taken yet', () => {
  const from = machine();
  from.map(REGS).write(8, 0x55, 1);
  from.board.access.write(physAddr(RAM_BASE + 0x12_3456), 0xabcd_ef01, 4, 0);
  from.map(DEV).write(0, 1, 4);
  from.board.wire('/intc@1000', [8]).set(true);
  const state = structuredClone(from.board.save());
  expect(state.irqInputs).toEqual({ asserted: [true, true] });

  const to = machine();
  const control = to.map(INTC);
  const taken: number[] = [];
  to.board.bus.cpus.onIrq((cpu) => taken.push(to.board.bus.cpus.runOn(cpu, () => control.read(0, 4))));
  to.map(REGS).write(0, 0x77, 1);
  to.board.access.write(physAddr(RAM_BASE), 1, 4, 0);
  to.board.restore(state);
  expect(taken).toEqual([8, 5]);
  expect(to.map(REGS).read(0, 4)).toBe(0);
  expect(to.map(REGS).read(8, 1)).toBe(0x55);
  expect(to.board.access.read(physAddr(RAM_BASE + 0x12_3456), 4, 0)).toBe(0xabcd_ef01);
  expect(to.board.access.read(physAddr(RAM_BASE), 4, 0)).toBe(0);

  to.map(0x4000).write(0, 1, 4);
  to.map(DEV).write(0, 0, 4);
  expect(to.intc.levels.get(5)).toBe(true);
  to.map(0x4000).write(0, 0, 4);
  expect(to.intc.levels.get(5)).toBe(false);
  to.board.wire('/intc@1000', [8]).set(false);
  expect(to.intc.levels.get(8)).toBe(false);
});

test('an input that was asserted and told of before the save is told of again: its new host has not heard of it', () => {
  const from = machine();
  from.board.bus.cpus.onIrq(() => undefined);
  from.map(DEV).write(0, 1, 4);
  const to = machine();
  const heard: number[] = [];
  to.board.bus.cpus.onIrq((cpu) => heard.push(cpu));
  to.board.restore(from.board.save());
  expect(heard).toEqual([1]);
});

test('saving what was restored gives the same state', () => {
  const { board, map } = machine();
  map(DEV).write(0, 1, 4);
  board.access.write(physAddr(RAM_BASE + 0x1ffe), 0x0102_0304, 4, 0);
  const state = board.save();
  expect(state.ram.pages).toEqual([RAM_BASE + 0x1000, RAM_BASE + 0x2000]);
  const other = machine().board;
  other.restore(state);
  expect(other.save()).toEqual(state);
});

test('pages that were zeroed again are not saved, and DMA buffers show what is restored', () => {
  const { board } = machine();
  const buffer = board.bus.memory.alloc(0x1000);
  buffer.words[3] = 33;
  const state = board.save();
  buffer.bytes.fill(0);
  expect(board.save().ram.pages).toEqual([]);
  board.restore(state);
  expect(buffer.words[3]).toBe(33);
});

test('EINVAL for a state of another board, version or model version, with the board as it was', () => {
  const { board, regs, map } = machine();
  map(REGS).write(0, 1, 4);
  board.access.write(physAddr(RAM_BASE), 5, 4, 0);
  map(DEV).write(0, 1, 4);
  const before = board.save();
  const bigger = machine({ memory: [RAM_BASE, 0x200_0000] }).board;
  expectError(() => board.restore(bigger.save()), 'EINVAL', /another board/);
  expectError(() => bigger.restore(before), 'EINVAL', /another board/);
  const bare = createBoard({ firmware: firmware({}), plugins: [toys] });
  expectError(() => board.restore(bare.save()), 'EINVAL', /another board/);
  expectError(() => board.restore({ ...before, version: 2 }), 'EINVAL', /version 2/);
  const fresh = machine().board.save();
  const models = { ...fresh.models, '/regs@2000': { version: 9 } };
  expectError(() => board.restore({ ...fresh, models }), 'EINVAL', /regs@2000: state 9/);
  expectError(() => board.restore({ ...fresh, models: {} }), 'EINVAL', /no state of this model/);
  const ram = { pages: [0x1000], bytes: new Uint8Array(0x1000) };
  expectError(() => board.restore({ ...fresh, ram }), 'EINVAL', /RAM/);
  const wires = { nodes: [], owner: [{ controller: '/nowhere', args: [1] }] };
  expectError(() => board.restore({ ...fresh, wires }), 'EINVAL', /nowhere/);
  expect(board.save()).toEqual(before);
  expect(regs.bytes[0]).toBe(1);
});

test('EBUSY inside an access', () => {
  expect.assertions(4);
  const { board, regs, map } = machine();
  const state = board.save();
  regs.write = () => {
    expectError(() => board.save(), 'EBUSY', /inside an access/);
    expectError(() => board.restore(state), 'EBUSY', /inside an access/);
  };
  map(REGS).write(0, 0, 4);
});
