// SPDX-License-Identifier: Apache-2.0
import { createBoard } from '@irqkit/board';
import { physAddr } from '@irqkit/core';
import { GUARDED, INTC, machine, messages, modelAt, REGS } from './toys/machine.js';
import { Dev, Intc, toys } from './toys/models.js';
import { firmware, node, RAM_BASE } from './toys/tree.js';

const DOORBELL = INTC + 4;

test('a port carries the ids that msi-map and iommu-map give its requester', () => {
  const { dev, guarded } = machine();
  expect(dev.port(0x10).requester).toEqual({
    kind: 'device',
    cpu: -1,
    requesterId: 0x10,
    streamId: -1,
    deviceId: 0x110,
  });
  expect(guarded.port(5).requester).toMatchObject({ requesterId: 5, streamId: 0x45, deviceId: 0x205 });
  expect(guarded.port(0x10).requester).toMatchObject({ streamId: -1, deviceId: 0x210 });
  expect(dev.port(0x1000).requester).toMatchObject({ streamId: -1, deviceId: -1 });
  expect(dev.port(0x10)).toBe(dev.port(0x10));
});

test('there is one port for each requester id and PASID, and its accesses carry both', () => {
  const { guarded, regs, iommu } = machine();
  const ports = [guarded.port(5), guarded.port(5, 0), guarded.port(5, 0xfffff), guarded.port(6, 0)];
  expect(new Set(ports).size).toBe(4);
  expect([guarded.port(5), guarded.port(5, 0), guarded.port(5, 0xfffff), guarded.port(6, 0)]).toEqual(ports);
  expect(guarded.port(5, 0)).toBe(ports[1]);
  iommu.map(0x45, 0x7000, REGS);
  iommu.map(0x46, 0x7000, REGS);
  for (const port of ports) port.write32(0x7000, 1);
  const seen = regs.seen.map(({ by }) => [by.requesterId, by.streamId, by.substreamId, by.deviceId]);
  expect(seen).toEqual([
    [5, 0x45, undefined, 0x205],
    [5, 0x45, 0, 0x205],
    [5, 0x45, 0xfffff, 0x205],
    [6, 0x46, 0, 0x206],
  ]);
});

test('the requesters of processors and devices, with a PASID and without, have the same members', () => {
  const { board, guarded, regs } = machine();
  guarded.port(0x10).write32(REGS, 1);
  guarded.port(0x11, 3).write32(REGS, 1);
  board.access.write(physAddr(REGS), 1, 4, 0);
  const members = ['kind', 'cpu', 'requesterId', 'streamId', 'substreamId', 'deviceId'];
  expect(regs.seen.map(({ by }) => Object.keys(by))).toEqual([members, members, members]);
});

test('an MSI reaches the doorbell with its DeviceID; the same write by a CPU comes as that CPU', () => {
  const { board, intc, dev } = machine();
  expect(dev.port(2).write32(DOORBELL, 17)).toBe(true);
  board.access.write(physAddr(DOORBELL), 18, 4, 1);
  expect(intc.doorbell.map(({ value, by }) => [value, by.kind, by.cpu, by.deviceId])).toEqual([
    [17, 'device', -1, 0x102],
    [18, 'cpu', 1, -1],
  ]);
});

test('the raw side makes a device write with the ids it is given', () => {
  const { board, intc } = machine();
  const by = { kind: 'device', cpu: -1, requesterId: 8, streamId: -1, deviceId: 0x108 } as const;
  expect(board.access.deviceWrite(physAddr(DOORBELL), 3, 4, by)).toBe(true);
  expect(board.access.deviceWrite(physAddr(0x9_0000), 3, 4, by)).toBe(false);
  expect(intc.doorbell).toEqual([{ value: 3, by }]);
});

test('bulk accesses reach RAM in one piece and frames in aligned words', () => {
  const { board, regs, dev } = machine();
  const port = dev.port(0);
  const bytes = Uint8Array.from({ length: 11 }, (_, i) => i + 1);
  expect(port.store(RAM_BASE + 0xfffff, bytes)).toBe(true);
  const back = new Uint8Array(11);
  expect(port.load(RAM_BASE + 0xfffff, back)).toBe(true);
  expect(back).toEqual(bytes);
  expect(port.store(REGS + 1, bytes)).toBe(true);
  expect(regs.seen.map(({ offset, size, value }) => [offset, size, value])).toEqual([
    [1, 1, 0x01],
    [2, 2, 0x0302],
    [4, 4, 0x0706_0504],
    [8, 4, 0x0b0a_0908],
  ]);
  expect(port.load(REGS + 1, back)).toBe(true);
  expect(back).toEqual(bytes);
  expect(messages(board)).toEqual([]);
});

test('where nothing answers a device gets false, after what did answer', () => {
  const { regs, dev } = machine();
  const port = dev.port(0);
  expect(port.store(REGS + 0xfc, new Uint8Array(8).fill(7))).toBe(false);
  expect(regs.seen).toHaveLength(1);
  expect(port.load(0x9_0000, new Uint8Array(4))).toBe(false);
  expect(port.write32(0x9_0000, 0)).toBe(false);
  expect([-1, NaN, 2 ** 52 - 3, 2 ** 60].map((address) => port.write32(address, 0))).toEqual(Array(4).fill(false));
});

test('an IOMMU model translates each page by StreamID, and its faults stop the access', () => {
  const { board, intc, guarded, iommu } = machine();
  const port = guarded.port(1);
  iommu.map(0x41, 0x1000, RAM_BASE);
  iommu.map(0x41, 0x2000, RAM_BASE + 0x8000);
  iommu.map(0x41, 0x3000, INTC);
  const bytes = Uint8Array.from({ length: 0x1800 }, (_, i) => i % 251);
  expect(port.store(0x1800, bytes)).toBe(true);
  expect(iommu.calls).toEqual([0x1800, 0x2000]);
  const seen = new Uint8Array(0x1000);
  board.ram.load(physAddr(RAM_BASE + 0x8000), seen);
  expect(seen).toEqual(bytes.subarray(0x800));
  const back = new Uint8Array(0x1800);
  expect(port.load(0x1800, back)).toBe(true);
  expect(back).toEqual(bytes);
  expect(port.write32(0x3004, 21)).toBe(true);
  expect(intc.doorbell.map(({ value, by }) => [value, by.streamId, by.deviceId])).toEqual([[21, 0x41, 0x201]]);

  expect(guarded.port(2).write32(0x3004, 22)).toBe(false);
  expect(port.store(0x3ffc, new Uint8Array(8))).toBe(false);
  expect(port.load(0x7000, back)).toBe(false);
  expect(iommu.faults).toEqual([
    { streamId: 0x42, address: 0x3004, write: true },
    { streamId: 0x41, address: 0x4000, write: true },
    { streamId: 0x41, address: 0x7000, write: false },
  ]);
  expect(intc.doorbell).toHaveLength(1);
});

test('a word across two pages is translated for each; read-only pages refuse it', () => {
  const { board, guarded, iommu } = machine();
  const port = guarded.port(0);
  iommu.map(0x40, 0x1000, RAM_BASE + 0x5000);
  iommu.map(0x40, 0x2000, RAM_BASE);
  iommu.map(0x40, 0x3000, RAM_BASE, false);
  expect(port.write32(0x1ffe, 0x4433_2211)).toBe(true);
  expect(board.access.read(physAddr(RAM_BASE + 0x5ffe), 2, 0)).toBe(0x2211);
  expect(board.access.read(physAddr(RAM_BASE), 2, 0)).toBe(0x4433);
  expect(port.write32(0x3000, 1)).toBe(false);
  expect(port.load(0x3000, new Uint8Array(4))).toBe(true);
});

test("a fault's own interrupt is delivered after the access that caused it", () => {
  const { board, map } = machine();
  const registers = map(GUARDED);
  const results: number[] = [];
  board.bus.cpus.onIrq((cpu) => results.push(cpu, registers.read(12, 4)));
  registers.write(4, 0x7000, 4);
  registers.write(12, 1, 4);
  expect(results).toEqual([1, 0]);
});

test('R13: without an IOMMU node, map entry or model, devices write physical addresses', () => {
  const { guarded, iommu } = machine();
  expect(guarded.port(0x10).write32(DOORBELL, 1)).toBe(true);
  expect(iommu.calls).toEqual([]);
  const tree = firmware(
    {},
    node('intc@1000', { compatible: 'toy,intc', reg: [INTC, 0x1000] }),
    node('iommu', { compatible: 'vendor,unknown', phandle: [2], '#iommu-cells': [1] }),
    node('dev@3000', { compatible: 'toy,dev', reg: [0x3000, 0x100], iommus: [2, 9] }),
  );
  const board = createBoard({ firmware: tree, plugins: [toys] });
  const port = modelAt(board, '/dev@3000', Dev).port(0);
  expect(port.requester.streamId).toBe(9);
  expect(port.write32(DOORBELL, 5)).toBe(true);
  expect(modelAt(board, '/intc@1000', Intc).doorbell.map(({ value }) => value)).toEqual([5]);
});

test('a malformed map costs its ids and is logged, with no error at the software that numbers buses', () => {
  const tree = firmware({}, node('dev@3000', { compatible: 'toy,dev', reg: [0x3000, 0x100], 'msi-map': [0, 99, 0] }));
  const board = createBoard({ firmware: tree, plugins: [toys] });
  expect(modelAt(board, '/dev@3000', Dev).port(0).requester.deviceId).toBe(-1);
  expect(messages(board)).toEqual([expect.stringMatching(/^\/dev@3000: \/dev@3000.* msi-map/)]);
});

test('a device that writes to itself in a circle is stopped', () => {
  const { dev, map } = machine();
  let depth = 0;
  let deepest = 0;
  dev.write = () => {
    deepest = Math.max(deepest, ++depth);
    dev.port(0).write32(0x3000, 0);
    depth--;
  };
  map(0x3000).write(0, 0, 4);
  expect(deepest).toBe(16);
});
