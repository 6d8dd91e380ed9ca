// SPDX-License-Identifier: Apache-2.0
// The way to a doorbell that a port remembers: taken while nothing could have changed it, dropped by all that could.
import { physAddr } from '@irqkit/core';
import { DEV, INTC, machine, modelAt, REGS } from './toys/machine.js';
import { RoutedIntc, RoutedIommu, routedToys } from './toys/routed.js';

const DOORBELL = INTC + 4;
/** Where the guarded devices have it. */
const IOVA = 0x7004;

function routed() {
  const all = machine({}, { plugins: [routedToys] });
  const intc = modelAt(all.board, '/intc@1000', RoutedIntc);
  const iommu = modelAt(all.board, '/iommu', RoutedIommu);
  for (const streamId of [0x41, 0x42]) iommu.map(streamId, 0x7000, INTC);
  /** How often the IOMMU was asked since the last time. */
  const asked = () => iommu.calls.splice(0).length;
  return { ...all, intc, iommu, asked };
}

/** A machine in which port 1 has written the doorbell through its IOMMU. */
function afterFirst() {
  const all = routed();
  const port = all.guarded.port(1);
  expect(port.write32(IOVA, 10)).toBe(true);
  expect([all.asked(), all.intc.doorbell.length]).toEqual([1, 1]);
  return { ...all, port };
}

test('is found by the first write, and the IOMMU is not asked again', () => {
  const { port, intc, asked } = afterFirst();
  expect([port.write32(IOVA, 11), port.write32(IOVA, -1)]).toEqual([true, true]);
  expect(intc.rung).toEqual([
    { deviceId: 0x201, data: 11 },
    { deviceId: 0x201, data: 0xffff_ffff },
  ]);
  expect([asked(), intc.doorbell.length]).toEqual([0, 1]);
});

test('a doorbell that knows the interrupt to be pending is not rung', () => {
  const { port, intc } = afterFirst();
  expect([port.write32(IOVA, 10), port.write32(IOVA, 12), port.write32(IOVA, 12)]).toEqual([true, true, true]);
  expect(intc.rung).toEqual([{ deviceId: 0x201, data: 12 }]);
});

test('is of one port: another requester, and another PASID, have their own', () => {
  const { guarded, intc, iommu, asked } = afterFirst();
  expect([guarded.port(2), guarded.port(1, 7), guarded.port(3)].map((port) => port.write32(IOVA, 11))).toEqual([
    true,
    true,
    false,
  ]);
  expect([asked(), intc.doorbell.map(({ by }) => by.requesterId)]).toEqual([3, [1, 2, 1]]);
  expect(iommu.faults).toEqual([{ streamId: 0x43, address: IOVA, write: true }]);
});

test('an invalidation drops it: the next write goes where the address leads now', () => {
  const { port, regs, intc, iommu, asked } = afterFirst();
  iommu.map(0x41, 0x7000, REGS);
  expect(port.write32(IOVA, 11)).toBe(true);
  expect([asked(), regs.seen.map(({ offset, value }) => [offset, value]), intc.rung]).toEqual([1, [[4, 11]], []]);
  iommu.map(0x41, 0x7000, INTC);
  expect([port.write32(IOVA, 12), port.write32(IOVA, 13)]).toEqual([true, true]);
  expect([asked(), intc.doorbell.length, intc.rung.length]).toEqual([1, 2, 1]);
});

test('a register of the IOMMU drops it: what faults reaches nothing, and faults each time', () => {
  const { port, intc, iommu, asked } = afterFirst();
  iommu.setAbort(true);
  expect([port.write32(IOVA, 11), port.write32(IOVA, 11)]).toEqual([false, false]);
  expect([asked(), intc.rung, intc.pending.has(11)]).toEqual([2, [], false]);
  iommu.setAbort(false);
  expect([port.write32(IOVA, 11), intc.pending.has(11)]).toEqual([true, true]);
});

test('a restored state drops it, also of a model that puts its generation back', () => {
  const { board, port, intc, iommu, asked } = afterFirst();
  iommu.setAbort(true);
  const state = board.save();
  iommu.setAbort(false);
  iommu.generation = state.models['/iommu']['generation'] as number;
  expect([port.write32(IOVA, 11), port.write32(IOVA, 12)]).toEqual([true, true]);
  expect(asked()).toBe(1);
  board.restore(state);
  expect([port.write32(IOVA, 13), intc.rung.map(({ data }) => data), asked()]).toEqual([false, [12], 1]);
});

test.each([
  ['an IOMMU', IOVA, 'guarded'],
  ['none', DOORBELL, 'dev'],
] as const)('a disposed board drops it, with %s between', (_, address, which) => {
  const all = routed();
  const port = all[which].port(1);
  expect([port.write32(address, 10), port.write32(address, 11)]).toEqual([true, true]);
  expect(all.intc.rung).toHaveLength(1);
  all.board.dispose();
  expect(port.write32(address, 12)).toBe(false);
  expect(all.intc.pending.has(12)).toBe(false);
});

test('a device whose MSI table names another address writes there', () => {
  const { port, regs, intc, iommu } = afterFirst();
  iommu.map(0x41, 0x8000, REGS);
  iommu.map(0x41, 0x9000, INTC);
  const results = [0x8004, IOVA, 0x9004, IOVA + 4, IOVA, IOVA].map((address, i) => port.write32(address, 20 + i));
  expect(results).toEqual([true, true, true, true, true, true]);
  expect(regs.seen.map(({ offset, value }) => [offset, value])).toEqual([[4, 20]]);
  expect([...intc.pending]).toEqual([10, 21, 22, 24, 25]);
  expect(intc.doorbell.map(({ value }) => value)).toEqual([10, 21, 22, 24]);
  expect(intc.rung.map(({ data }) => data)).toEqual([25]);
});

test('an IOMMU that says no generation is asked each time', () => {
  const { guarded, iommu, intc } = machine();
  iommu.map(0x41, 0x7000, INTC);
  const port = guarded.port(1);
  expect([port.write32(IOVA, 10), port.write32(IOVA, 11)]).toEqual([true, true]);
  expect([iommu.calls.length, intc.doorbell.length]).toEqual([2, 2]);
});

test('what it raises is delivered when the outermost access has ended', () => {
  const { board, dev, intc, map } = routed();
  const port = dev.port(1);
  const control = map(INTC);
  const registers = map(DEV);
  port.write32(DOORBELL, 10);
  control.read(0, 4);
  const order: string[] = [];
  board.bus.cpus.onIrq((cpu) => order.push(`processor ${cpu} takes ${control.read(0, 4)}`));
  intc.onSignal = () => order.push('doorbell');
  port.write32(DOORBELL, 20);
  expect(order.splice(0)).toEqual(['doorbell', 'processor 0 takes 20']);
  const write = dev.write.bind(dev);
  dev.write = (offset, value) => {
    write(offset, value);
    order.push('end of a register write');
  };
  [DOORBELL, 22, 1].forEach((value, i) => registers.write(4 + i * 4, value, 4));
  expect(order.slice(2)).toEqual(['doorbell', 'end of a register write', 'processor 0 takes 22']);
  expect(intc.rung.map(({ data }) => data)).toEqual([20, 22]);
});

test('it ends where accesses nest too deeply, as every way does, and an exception leaves the depth right', () => {
  const { board, dev, intc } = routed();
  const port = dev.port(1);
  port.write32(DOORBELL, 10);
  const results: boolean[] = [];
  let depth = 0;
  dev.write = () => {
    if (++depth < 16) dev.port(0).write32(DEV, 0);
    else results.push(port.write32(DOORBELL, 10), port.write32(DOORBELL, 12));
  };
  board.access.write(physAddr(DEV), 0, 4, 0);
  expect([depth, results, intc.pending.has(12)]).toEqual([16, [false, false], false]);
  intc.onSignal = () => {
    throw new Error('broken model');
  };
  expect(() => port.write32(DOORBELL, 13)).toThrow('broken model');
  intc.onSignal = undefined;
  const heard: number[] = [];
  board.bus.cpus.onIrq((cpu) => heard.push(cpu));
  port.write32(DOORBELL, 15);
  expect([heard, board.save().version]).toEqual([[0, 1], 1]);
});
