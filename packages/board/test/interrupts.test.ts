// SPDX-License-Identifier: Apache-2.0
import { createBoard } from '@irqkit/board';
import { physAddr } from '@irqkit/core';
import { DEV, INTC, machine, modelAt } from './toys/machine.js';
import { Dev, toys } from './toys/models.js';
import { firmware, node } from './toys/tree.js';
import { expectError } from './toys/expect-error.js';

const ACK = 0;
const SET = 4;

test('a signal raised inside a register write is delivered after the write, when the line still stands', () => {
  const { board, intc, map } = machine();
  const region = map(INTC);
  const events: string[] = [];
  board.bus.cpus.onIrq((cpu) => {
    events.push(`irq on ${cpu}, asserted ${board.bus.cpus.irqAsserted(cpu)}`);
    events.push(`ack ${board.bus.cpus.runOn(cpu, () => region.read(ACK, 4))}`);
  });
  const write = intc.write.bind(intc);
  intc.write = (offset, value, size, by) => {
    write(offset, value, size, by);
    events.push('write ends');
  };
  region.write(SET, 9, 4);
  expect(events).toEqual(['write ends', 'irq on 1, asserted true', 'ack 9']);
  expect(board.bus.cpus.irqAsserted(1)).toBe(false);
});

test("nothing is delivered before the outermost access ends: a device's DMA inside a CPU's write is nested", () => {
  const { board, dev, map } = machine();
  const [control, registers] = [map(INTC), map(DEV)];
  const order: string[] = [];
  board.bus.cpus.onIrq((cpu) =>
    order.push(`cpu ${cpu} takes ${board.bus.cpus.runOn(cpu, () => control.read(ACK, 4))}`),
  );
  const write = dev.write.bind(dev);
  dev.write = (offset, value) => {
    write(offset, value);
    if (offset === 12) order.push('GO ends');
  };
  registers.write(4, INTC + SET, 4);
  registers.write(8, 8, 4);
  registers.write(12, 3, 4);
  expect(registers.read(12, 4)).toBe(1);
  expect(order).toEqual(['GO ends', 'cpu 0 takes 8']);
});

test('several processors are served lowest first; what a handler raises comes after it, without nesting', () => {
  const { board, intc, map } = machine({ nrCpus: 4 });
  const region = map(INTC);
  const { cpus } = board.bus;
  const taken: string[] = [];
  let depth = 0;
  cpus.onIrq((cpu) => {
    depth++;
    const intid = cpus.runOn(cpu, () => region.read(ACK, 4));
    taken.push(`cpu${cpu}:${intid}@${depth}`);
    if (intid === 6) region.write(SET, 4, 4);
    if (intid === 4) region.write(SET, 8, 4);
    depth--;
  });
  const write = intc.write.bind(intc);
  intc.write = (offset, value, size, by) => {
    if (value === 3) for (const intid of [7, 6, 1]) intc.sink.setPending(intid);
    write(offset, value, size, by);
  };
  region.write(SET, 3, 4);
  expect(taken).toEqual(['cpu1:1@1', 'cpu2:6@1', 'cpu0:4@1', 'cpu0:8@1', 'cpu3:3@1']);
});

test('a signal raised outside any access is delivered at once', () => {
  const { board } = machine();
  const heard: number[] = [];
  board.bus.cpus.onIrq((cpu) => heard.push(cpu));
  const wire = board.wire('/intc@1000', [11]);
  wire.set(true);
  expect(heard).toEqual([1]);
  wire.set(true);
  expect(heard).toEqual([1]);
});

test('a line that falls before the access ends leaves nothing to take', () => {
  const { board, regs, map } = machine();
  const heard: number[] = [];
  board.bus.cpus.onIrq((cpu) => heard.push(cpu));
  regs.write = () => {
    regs.context.cpuIrqs[0].set(true);
    regs.context.cpuIrqs[0].set(false);
  };
  map(0x2000).write(0, 0, 4);
  expect(heard).toEqual([]);
});

test('an exception in a handler or a model leaves the depth right and the rest deliverable', () => {
  const { board, regs, map } = machine();
  const [control, registers] = [map(INTC), map(0x2000)];
  const heard: number[] = [];
  let fails = true;
  board.bus.cpus.onIrq((cpu) => {
    heard.push(cpu);
    if (fails) throw new Error('handler');
  });
  regs.read = () => {
    throw new Error('model');
  };
  regs.write = () => {
    regs.context.cpuIrqs[0].set(true);
    regs.context.cpuIrqs[1].set(true);
  };
  expect(() => registers.read(0, 4)).toThrow('model');
  expect(() => registers.write(0, 0, 4)).toThrow('handler');
  fails = false;
  control.write(8, 0, 4);
  expect(heard).toEqual([0, 1]);
});

test('a removed callback hears nothing; a signal waits for a listener', () => {
  const { board, map } = machine();
  const heard: string[] = [];
  const remove = board.bus.cpus.onIrq(() => heard.push('first'));
  remove();
  map(INTC).write(SET, 2, 4);
  board.bus.cpus.onIrq((cpu) => heard.push(`second ${cpu}`));
  expect(heard).toEqual([]);
  map(INTC).read(8, 4);
  expect(heard).toEqual(['second 0']);
});

test('devices that share an input drive it together', () => {
  const { board, intc, map } = machine();
  const [one, other] = [map(DEV), map(0x4000)];
  one.write(0, 1, 4);
  other.write(0, 1, 4);
  one.write(0, 0, 4);
  expect(intc.levels.get(5)).toBe(true);
  other.write(0, 0, 4);
  expect(intc.levels.get(5)).toBe(false);
  const wire = board.wire('/intc@1000', [5]);
  wire.set(true);
  expect(intc.levels.get(5)).toBe(true);
  expect(board.wire('/intc@1000', [5])).toBe(wire);
});

test('the owner gets wires only to inputs that are modelled', () => {
  const { board } = machine();
  expectError(() => board.wire('/intc@1000', [32]), 'EINVAL');
  expectError(() => board.wire('/dev@3000', [0]), 'ENODEV');
  expectError(() => board.wire('/nowhere', [0]), 'ENODEV');
});

test('interrupts to a controller that nothing models are swallowed', () => {
  const tree = firmware(
    {},
    node('intc@1000', {
      compatible: 'vendor,unknown',
      reg: [INTC, 0x1000],
      phandle: [1],
      'interrupt-controller': [],
      '#interrupt-cells': [1],
    }),
    node('dev@3000', { compatible: 'toy,dev', reg: [DEV, 0x100], 'interrupt-parent': [1], interrupts: [5] }),
  );
  const board = createBoard({ firmware: tree, plugins: [toys] });
  board.access.write(physAddr(DEV), 1, 4, 0);
  expect(board.bus.cpus.irqAsserted(0)).toBe(false);
  const { context } = modelAt(board, '/dev@3000', Dev);
  const parent = context.node.interruptParent!;
  expectError(() => context.controller(parent), 'ENODEV');
  expectError(() => context.interruptParent, 'ENODEV');
});
