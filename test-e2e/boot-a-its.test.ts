// SPDX-License-Identifier: Apache-2.0
// Linux's machine with an ITS again, enabling vectors in Linux's order: our ITS commands are read from the queue in memory. No
// plugin drives the SMMU here: messages have physical addresses.

import { gicV3 } from '@irqkit/gic-v3';
import { gicV3Its } from '@irqkit/gic-v3-its';
import { pciHostGeneric } from '@irqkit/pci';
import type { PciDevice } from '@irqkit/pci/host';
import { describeWithShared } from '@irqkit-test/env';
import { BootA, commandsOf, fixtureFiles, hex, sharedFiles } from './support/boot-a.js';
import type { BootFiles } from './support/boot-a.js';
import { readJsonLines } from './support/fixtures.js';
import { ItsQueue } from './support/its-queue.js';
import type { QueuedCommand } from './support/its-queue.js';

const ITS = 0x808_0000;
const GITS_TRANSLATER = 0x809_0040;

interface RecordedIrq {
  readonly irq: number;
  readonly chip_name: string;
  readonly hwirq: string;
}

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

function programsWhatLinuxDid(capture: string, filesOf: () => BootFiles): void {
  const commands = () => commandsOf(files, capture);
  let files: BootFiles;
  let boot: BootA;
  let queue: ItsQueue;

  beforeAll(() => {
    files = filesOf();
    boot = new BootA({ files, plugins: [pciHostGeneric, gicV3Its, gicV3] });
    queue = new ItsQueue(boot.board, ITS);
    boot.replay(commands());
  });

  afterAll(() => {
    expect(boot.board.log.entries).toEqual([]);
    boot.close();
  });

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
    for (const { msiDescs } of boot.devices.values()) {
      const lpis = msiDescs.map(({ virq }) => boot.host.irqs.irqData(virq).parent!.hwirq);
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
    for (const device of boot.devices.values()) {
      const { msi, msix, msi_irqs } = boot.recordOf(device);
      const modes = Object.values(msi_irqs);
      if (modes.includes('msix')) {
        expect([device.name, ctrl(device, msix!.off), boot.readTable(device).map(withoutAddress)]).toEqual([
          device.name,
          msix!.ctrl,
          msix!.table.map(withoutAddress),
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
    const shown = readJsonLines<RecordedIrq>(files.boot('irqs.jsonl'));
    const wanted = shown.filter(({ chip_name }) => chip_name === 'ITS-MSI').map(({ hwirq }) => Number(hwirq));
    const own = [...boot.devices.values()].flatMap(({ msiDescs }) =>
      msiDescs.map(({ virq }) => boot.host.irqs.irqData(virq).hwirq),
    );
    expect([...own].sort(ascending)).toEqual([...wanted].sort(ascending));
  });
}

function withoutAddress({ data, ctrl }: { data: string; ctrl: string }): { data: string; ctrl: string } {
  return { data, ctrl };
}

function ascending(a: number, b: number): number {
  return a - b;
}

describe.each(['A', 'D'])('boot A in the order of the capture %s, as it comes with the repository', (capture) =>
  programsWhatLinuxDid(capture, fixtureFiles),
);

describeWithShared('boot A of the shared data', () => {
  describe.each(['A', 'D'])('in the order of the capture %s', (capture) =>
    programsWhatLinuxDid(capture, () => sharedFiles),
  );
});
