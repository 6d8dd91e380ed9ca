// SPDX-License-Identifier: Apache-2.0
// Linux's own machine again: its devicetree, its PCI functions as shells. Our host enables the vectors that Linux had, in the order
// of their Linux numbers, and must program what Linux programmed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createBoard } from '@irqkit/board';
import type { Board } from '@irqkit/board';
import { createHost, physAddr } from '@irqkit/core';
import type { Host } from '@irqkit/core';
import { firmwareFromFdt } from '@irqkit/fdt';
import { gicV2 } from '@irqkit/gic-v2';
import { gicV2m } from '@irqkit/gic-v2m';
import { PciHostDriver, pciHostGeneric } from '@irqkit/pci';
import type { PciDevice } from '@irqkit/pci/host';
import { topologyFromRecords } from '@irqkit/pci/model';
import type { PciRecord } from '@irqkit/pci/model';
import { describeWithShared, sharedPath } from '@irqkit-test/env';
import { readJsonLines, unpackFixture } from './support/fixtures.js';

interface RecordedFunction extends PciRecord {
  /** How each of its Linux interrupts is raised. */
  readonly msi_irqs: Readonly<Record<string, 'msi' | 'msix'>>;
  readonly msix?: {
    readonly off: number;
    readonly ctrl: string;
    readonly nvec: number;
    readonly table: readonly Entry[];
  } & {
    readonly table_bir: number;
    readonly table_off: string;
  };
  readonly msi?: { readonly off: number; readonly ctrl: string; readonly addr: string; readonly data: string };
}

interface Entry {
  readonly addr: string;
  readonly data: string;
  readonly ctrl: string;
}

interface RecordedIrq {
  readonly irq: number;
  readonly chip_name: string;
  readonly hwirq: string;
}

/** One Linux interrupt of a function: vector `index` of it. */
interface Vector {
  readonly irq: number;
  readonly bdf: string;
  readonly mode: 'msi' | 'msix';
  readonly index: number;
}

function programsWhatLinuxDid(directory: () => string): void {
  let records: readonly RecordedFunction[];
  let irqs: ReadonlyMap<number, RecordedIrq>;
  let board: Board;
  let host: Host;
  let devices: ReadonlyMap<string, PciDevice>;
  let vectors: readonly Vector[];

  beforeAll(() => {
    const dir = directory();
    records = readJsonLines<RecordedFunction>(join(dir, 'pci.jsonl'));
    irqs = new Map(readJsonLines<RecordedIrq>(join(dir, 'irqs.jsonl')).map((one) => [one.irq, one]));
    const firmware = firmwareFromFdt(readFileSync(join(dir, 'platform.dtb')));
    const plugins = [pciHostGeneric, gicV2m, gicV2];
    board = createBoard({ firmware, plugins, plugged: { '/pcie@10000000': topologyFromRecords(records) } });
    host = createHost({ firmware, plugins, bus: board.bus });
    const bridge = host.drivers.map(({ instance }) => instance).find((driver) => driver instanceof PciHostDriver);
    devices = new Map(bridge?.devices.map((device) => [device.name, device]));
    vectors = vectorsOf(records);
    enableAll(vectors, devices, host);
  });

  afterAll(() => {
    host.teardown();
    board.dispose();
  });

  test('enumeration finds every function where Linux found it', () => {
    expect([...devices.keys()].sort()).toEqual(records.map(({ bdf }) => bdf).sort());
  });

  test('Linux had 20 message-signalled interrupts', () => {
    expect(vectors.map(({ irq }) => irq)).toEqual([
      17, 19, 22, 23, 24, 25, 26, 27, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    ]);
    expect(vectors.every(({ irq }) => irqs.get(irq)?.chip_name === 'MSI')).toBe(true);
  });

  test('every MSI-X table reads as Linux left it: enables, and each entry with its mask', () => {
    const tables = records.filter((record) => record.msix);
    expect(tables).toHaveLength(7);
    for (const { bdf, msix } of tables) {
      const device = devices.get(bdf)!;
      const found = { ctrl: control(device, msix!.off), table: readTable(board, device, msix!) };
      expect([bdf, found]).toEqual([bdf, { ctrl: msix!.ctrl, table: msix!.table }]);
    }
  });

  test('every MSI capability reads as Linux left it: enables, address, data', () => {
    const capabilities = records.filter((record) => record.msi);
    expect(capabilities).toHaveLength(5);
    for (const { bdf, msi } of capabilities) {
      const { ctrl, addr, data } = msi!;
      expect([bdf, readMsi(devices.get(bdf)!, msi!.off)]).toEqual([bdf, { ctrl, addr, data }]);
    }
  });

  test('so the SPIs are the same, in the order of the Linux numbers, and so is the hwirq that sysfs shows', () => {
    const spis = vectors.map((vector) => host.irqs.irqData(virqOf(vector, devices)).parent?.hwirq);
    expect(spis).toEqual(vectors.map((_, i) => 80 + i));
    const hwirqs = vectors.map((vector) => String(host.irqs.irqData(virqOf(vector, devices)).hwirq));
    expect(hwirqs).toEqual(vectors.map(({ irq }) => irqs.get(irq)?.hwirq));
  });
}

/** Ascending by Linux number. A function's own numbers ascend with its vectors. */
function vectorsOf(records: readonly RecordedFunction[]): Vector[] {
  return records
    .flatMap(({ bdf, msi_irqs }) =>
      Object.entries(msi_irqs)
        .sort(([a], [b]) => Number(a) - Number(b))
        .map(([irq, mode], index) => ({ irq: Number(irq), bdf, mode, index })),
    )
    .sort((a, b) => a.irq - b.irq);
}

/**
 * One vector after the other, in the order given. Linux numbers of different functions interleave (29, 30 and 32 are one nvme's, 31
 * and 33 another's), while a function's vectors are enabled all at once: so each of its vectors is added by enabling it anew with
 * one more. Between the two the lower numbers that it gives back are the lowest free ones, and it gets them back.
 */
function enableAll(vectors: readonly Vector[], devices: ReadonlyMap<string, PciDevice>, host: Host): void {
  for (const { bdf, mode, index } of vectors) {
    const device = devices.get(bdf)!;
    device.enable();
    device.freeVectors();
    if (mode === 'msix') device.enableMsix(index + 1);
    else device.enableMsi(index + 1);
  }
  for (const vector of vectors) host.irqs.requestIrq(virqOf(vector, devices), () => true, `irq ${vector.irq}`);
}

function virqOf({ bdf, index }: Vector, devices: ReadonlyMap<string, PciDevice>): number {
  return devices.get(bdf)!.msiDescs[index].virq;
}

function readTable(board: Board, device: PciDevice, msix: NonNullable<RecordedFunction['msix']>): Entry[] {
  const base = device.barRegion(msix.table_bir).base + Number(msix.table_off);
  const word = (index: number, at: number) => board.access.read(physAddr(base + 16 * index + at), 4, 0);
  return msix.table.map((_, index) => ({
    addr: hex(word(index, 4) * 2 ** 32 + word(index, 0)),
    data: hex(word(index, 8)),
    ctrl: hex(word(index, 12)),
  }));
}

/** With a 64-bit address, as all of them have. */
function readMsi(device: PciDevice, off: number): object {
  const address = device.readConfig(off + 8, 4) * 2 ** 32 + device.readConfig(off + 4, 4);
  return { ctrl: control(device, off), addr: hex(address), data: hex(device.readConfig(off + 12, 2)) };
}

function control(device: PciDevice, off: number): string {
  return `0x${device
    .readConfig(off + 2, 2)
    .toString(16)
    .padStart(4, '0')}`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

describe('boot B, as it comes with the repository', () => {
  programsWhatLinuxDid(() => unpackFixture('boot-b'));
});

describeWithShared('boot B of the shared data', () => {
  programsWhatLinuxDid(() => sharedPath('data', 'boots', 'B'));
});
