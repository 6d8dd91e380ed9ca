// SPDX-License-Identifier: Apache-2.0
// Linux's machine with an ITS again: its devicetree, its PCI functions as shells. Our host enables, requests and frees vectors in
// the order in which Linux did when its commands were recorded (shared data, replay/A and replay/D, of a machine with the same
// functions), and its commands are read from the queue in memory. No plugin drives the SMMU here: messages have physical addresses.

import { readFileSync } from 'node:fs';
import { createBoard } from '@irqkit/board';
import type { Board } from '@irqkit/board';
import { createHost, physAddr } from '@irqkit/core';
import type { Host } from '@irqkit/core';
import { firmwareFromFdt } from '@irqkit/fdt';
import { gicV3 } from '@irqkit/gic-v3';
import { gicV3Its } from '@irqkit/gic-v3-its';
import { PciHostDriver, pciHostGeneric } from '@irqkit/pci';
import type { PciDevice } from '@irqkit/pci/host';
import { topologyFromRecords } from '@irqkit/pci/model';
import type { PciRecord } from '@irqkit/pci/model';
import { describeWithShared, sharedPath } from '@irqkit-test/env';
import { readJsonLines } from './support/fixtures.js';
import { ItsQueue } from './support/its-queue.js';
import type { QueuedCommand } from './support/its-queue.js';

const ITS = 0x808_0000;
const GITS_TRANSLATER = 0x809_0040;

interface RecordedFunction extends PciRecord {
  /** How each of its Linux interrupts is raised. */
  readonly msi_irqs: Readonly<Record<string, 'msi' | 'msix'>>;
  readonly msix?: {
    readonly off: number;
    readonly ctrl: string;
    readonly table: readonly { readonly data: string; readonly ctrl: string }[];
    readonly table_bir: number;
    readonly table_off: string;
  };
  readonly msi?: { readonly off: number; readonly ctrl: string; readonly data: string };
}

/** One of Linux's commands, as QEMU decoded it. */
interface RecordedCommand {
  readonly ev: string;
  readonly cmd: string;
  readonly devid: number;
  readonly eventid: number;
  readonly intid: number;
  readonly size: number;
  readonly v: number;
}

interface RecordedIrq {
  readonly irq: number;
  readonly chip_name: string;
  readonly hwirq: string;
}

const commandsOf = (capture: string): readonly QueuedCommand[] =>
  readJsonLines<RecordedCommand>(sharedPath('data', 'replay', capture, 'its-events.jsonl'))
    .filter(({ ev }) => ev === 'cmd')
    .map(({ cmd, devid, eventid, intid, size, v }) => ({
      name: cmd,
      deviceId: devid,
      eventId: eventid,
      intid,
      icid: 0,
      size,
      valid: v === 1,
    }));

/**
 * The commands for each DeviceID, in order, each with the SYNC that follows it at once. Which processor a vector goes to is left
 * out: Linux counts managed vectors apart, which core does not have.
 */
function sequences(commands: readonly QueuedCommand[]): Readonly<Record<number, readonly string[]>> {
  const by: Record<number, string[]> = {};
  commands.forEach(({ name, deviceId, eventId, intid, size, valid }, at) => {
    const operands: Readonly<Record<string, string>> = {
      MAPD: `V=${Number(valid)} Size=${size}`,
      MAPTI: `${eventId} ${intid}`,
      INV: `${eventId}`,
      DISCARD: `${eventId}`,
    };
    if (operands[name] === undefined) return;
    const synced = commands[at + 1]?.name === 'SYNC' ? '+SYNC' : '';
    (by[deviceId] ??= []).push(`${name} ${operands[name]} ${synced}`.trimEnd());
  });
  return by;
}

/** How many vectors a device enables: its MAPTIs up to its next MAPD. */
function nrVectors(commands: readonly QueuedCommand[], at: number): number {
  const own = commands.slice(at + 1).filter(({ deviceId }) => deviceId === commands[at].deviceId);
  const end = own.findIndex(({ name }) => name === 'MAPD');
  return own.slice(0, end < 0 ? undefined : end).filter(({ name }) => name === 'MAPTI').length;
}

function programsWhatLinuxDid(capture: string): void {
  const commands = () => commandsOf(capture);
  let records: readonly RecordedFunction[];
  let board: Board;
  let host: Host;
  let queue: ItsQueue;
  let devices: ReadonlyMap<number, PciDevice>;
  let recordOf: (device: PciDevice) => RecordedFunction;

  beforeAll(() => {
    const dir = sharedPath('data', 'boots', 'A');
    records = readJsonLines<RecordedFunction>(`${dir}/pci.jsonl`);
    const firmware = firmwareFromFdt(readFileSync(`${dir}/platform.dtb`));
    const plugins = [pciHostGeneric, gicV3Its, gicV3];
    board = createBoard({ firmware, plugins, plugged: { '/pcie@10000000': topologyFromRecords(records) } });
    host = createHost({ firmware, plugins, bus: board.bus });
    queue = new ItsQueue(board, ITS);
    const bridge = host.drivers.map(({ instance }) => instance).find((driver) => driver instanceof PciHostDriver);
    devices = new Map(bridge?.devices.map((device) => [device.msiDeviceId, device]));
    recordOf = (device) => records.find(({ bdf }) => bdf === device.name)!;
    replay(commands());
  });

  afterAll(() => {
    expect(board.log.entries).toEqual([]);
    host.teardown();
    board.dispose();
  });

  const handler = (): boolean => true;

  /** What Linux's drivers asked of its frameworks, one call for each first sign of it among the commands. */
  function replay(recorded: readonly QueuedCommand[]): void {
    const requested = new Set<number>();
    recorded.forEach(({ name, deviceId, eventId, valid }, at) => {
      const device = devices.get(deviceId)!;
      if (name === 'MAPD' && valid) {
        device.enable();
        const nr = nrVectors(recorded, at);
        if (Object.values(recordOf(device).msi_irqs).includes('msix')) device.enableMsix(nr);
        else device.enableMsi(nr);
      } else if (name === 'INV') {
        const { virq } = device.msiDescs[eventId];
        if (requested.delete(virq)) host.irqs.freeIrq(virq, handler);
        else {
          requested.add(virq);
          host.irqs.requestIrq(virq, handler, `${device.name} ${eventId}`);
        }
      } else if (name === 'DISCARD' && device.msiDescs.length > 0) device.freeVectors();
    });
  }

  test('the same commands for each device: MAPD, MAPTI+SYNC for each vector, INV+SYNC at unmask', () => {
    const wanted = sequences(commands());
    expect(Object.keys(wanted).map(Number)).toEqual([8, 16, 24, 32, 40, 56, 64, 256]);
    expect(wanted[24]).toEqual([
      'MAPD V=1 Size=1',
      'MAPTI 0 8194 +SYNC',
      'MAPTI 1 8195 +SYNC',
      'MAPTI 2 8196 +SYNC',
      'INV 0 +SYNC',
      'INV 1 +SYNC',
      'INV 2 +SYNC',
    ]);
    expect(sequences(queue.executed())).toEqual(wanted);
  });

  test('the same LPIs for the same EventIDs: blocks of a power of two, from 8192', () => {
    const mapped = (all: readonly QueuedCommand[]) =>
      all
        .filter(({ name }) => name === 'MAPTI')
        .map(({ deviceId, eventId, intid }) => [deviceId, eventId, intid].join(' '));
    expect(mapped(queue.executed()).sort()).toEqual(mapped(commands()).sort());
    for (const { msiDescs } of devices.values()) {
      const lpis = msiDescs.map(({ virq }) => host.irqs.irqData(virq).parent!.hwirq);
      expect(lpis.every((lpi) => lpi >= 8192)).toBe(true);
      expect(lpis).toEqual(lpis.map((_, i) => lpis[0] + i));
    }
  });

  test('each collection is mapped and invalidated before any device is', () => {
    const opening = (all: readonly QueuedCommand[]) => all.slice(0, 9).map(({ name }) => name);
    expect(opening(queue.executed())).toEqual(opening(commands()));
    expect(opening(commands())).toEqual(['MAPC', 'SYNC', 'INVALL', 'SYNC', 'MAPC', 'SYNC', 'INVALL', 'SYNC', 'MAPD']);
  });

  test('every MSI-X table and MSI capability reads as Linux left it, but for the address', () => {
    const ctrl = (device: PciDevice, off: number): string => hex(device.readConfig(off + 2, 2), 4);
    let compared = 0;
    for (const device of devices.values()) {
      const { msi, msix, msi_irqs } = recordOf(device);
      const modes = Object.values(msi_irqs);
      if (modes.includes('msix')) {
        expect([device.name, ctrl(device, msix!.off), readTable(device, msix!)]).toEqual([
          device.name,
          msix!.ctrl,
          msix!.table.map(({ data, ctrl: mask }) => ({ data, ctrl: mask })),
        ]);
        compared++;
      } else if (modes.includes('msi')) {
        const data = hex(device.readConfig(msi!.off + 12, 2));
        expect([device.name, ctrl(device, msi!.off), data]).toEqual([device.name, msi!.ctrl, msi!.data]);
        compared++;
      }
      for (const { msg } of device.msiDescs) expect(msg.address).toBe(GITS_TRANSLATER);
    }
    expect(compared).toBe(8);
  });

  test('the hwirqs that Linux showed', () => {
    const shown = readJsonLines<RecordedIrq>(sharedPath('data', 'boots', 'A', 'irqs.jsonl'));
    const wanted = shown.filter(({ chip_name }) => chip_name === 'ITS-MSI').map(({ hwirq }) => Number(hwirq));
    const own = [...devices.values()].flatMap(({ msiDescs }) =>
      msiDescs.map(({ virq }) => host.irqs.irqData(virq).hwirq),
    );
    expect([...own].sort(ascending)).toEqual([...wanted].sort(ascending));
  });

  function readTable(
    device: PciDevice,
    { table, table_bir, table_off }: NonNullable<RecordedFunction['msix']>,
  ): readonly { readonly data: string; readonly ctrl: string }[] {
    const base = device.barRegion(table_bir).base + Number(table_off);
    const word = (index: number, at: number) => hex(board.access.read(physAddr(base + 16 * index + at), 4, 0));
    return table.map((_, index) => ({ data: word(index, 8), ctrl: word(index, 12) }));
  }
}

function hex(value: number, digits = 0): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}

function ascending(a: number, b: number): number {
  return a - b;
}

describeWithShared('boot A', () => {
  describe.each(['A', 'D'])('in the order of the capture %s', programsWhatLinuxDid);
});
