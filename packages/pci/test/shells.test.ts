// SPDX-License-Identifier: Apache-2.0
// What Linux read from QEMU's functions, and where it put them, is in data/boots; shells enumerated by our host must agree.
import { readFileSync } from 'node:fs';
import { describeWithShared, sharedPath } from '@irqkit-test/env';
import { shellFromRecord, topologyFromRecords } from '@irqkit/pci';
import type { PciRecord } from '@irqkit/pci';
import { Machine } from './support/machine.js';

interface Recorded extends PciRecord {
  readonly vendor: string;
  readonly device: string;
  readonly class: string;
  readonly caps: readonly { readonly id: number; readonly off: number }[];
  readonly extcaps: readonly { readonly id: number; readonly off: number }[];
  readonly msix?: {
    readonly nvec: number;
    readonly table: readonly { readonly addr: string; readonly data: string }[];
  };
  readonly msi?: { readonly addr: string; readonly data: string };
}

const recordsOf = (boot: string): readonly Recorded[] =>
  readFileSync(sharedPath('data', 'boots', boot, 'pci.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Recorded);

describeWithShared('shells of recorded boots', () => {
  describe.each(['A', 'B', 'E'])('boot %s', (boot) => {
    const records = recordsOf(boot);
    const machine = new Machine({ plugged: topologyFromRecords(records) });

    it('are found where Linux found them, with the same ids', () => {
      expect(
        machine.driver.devices.map(({ name, vendorId, deviceId, classCode }) => [name, vendorId, deviceId, classCode]),
      ).toEqual(
        records.map(({ bdf, vendor, device, class: classCode }) => [
          bdf,
          Number(vendor),
          Number(device),
          Number(classCode),
        ]),
      );
    });

    it('have the capabilities that were recorded, at the same offsets', () => {
      for (const { bdf, caps, extcaps } of records) {
        const device = machine.device(bdf);
        // The list may hold an id several times: the first is found.
        for (const { id } of caps)
          expect([id, device.findCapability(id)]).toEqual([id, caps.find((cap) => cap.id === id)?.off]);
        for (const { id, off } of extcaps) expect([id, device.findExtCapability(id)]).toEqual([id, off]);
        expect(device.findExtCapability(0x10)).toBeUndefined();
      }
    });

    it('get the BAR addresses that Linux assigned', () => {
      for (const { bdf, resource } of records) {
        const recorded = resource.filter(({ i }) => i < 6).map(({ i, start, end }) => [i, Number(start), Number(end)]);
        const ours = machine
          .device(bdf)
          .bars.map(({ index, address = NaN, sizeBytes }) => [index, address, address + sizeBytes - 1]);
        expect([bdf, ours]).toEqual([bdf, recorded]);
      }
    });

    it('get the bus numbers and bridge windows that Linux programmed', () => {
      const header = (config: string): string => config.slice(2 * 0x18, 2 * 0x1e) + config.slice(2 * 0x20, 2 * 0x34);
      for (const { bdf, config } of records.filter((record) => record.config.slice(28, 30) === '01')) {
        const device = machine.device(bdf);
        const bytes = Array.from({ length: 64 }, (_, i) => device.readConfig(i, 1).toString(16).padStart(2, '0'));
        expect([bdf, header(bytes.join(''))]).toEqual([bdf, header(config)]);
      }
    });

    it('start with nothing enabled and no ACS control in force', () => {
      for (const record of records) {
        const shell = shellFromRecord(record);
        expect(shell.config.read(0x04, 2)).toBe(0);
        expect(shell.usesMessages).toBe(false);
        expect(shell.bars.map(({ base }) => base)).toEqual(shell.bars.map(() => 0));
      }
      expect(machine.device('0000:00:01.0').acs).toEqual({ capable: 0x5f, control: 0 });
    });

    it('behind the PCIe-to-PCI bridge go by 02:00.0, others by their own id', () => {
      const aliases = machine.driver.devices.filter(({ id, requesterId }) => id !== requesterId);
      expect(aliases.map(({ name, requesterId }) => [name, requesterId])).toEqual([
        ['0000:02:01.0', 0x200],
        ['0000:02:02.0', 0x200],
      ]);
    });

    it('have as many MSI-X entries as were recorded, and send each', () => {
      for (const { bdf, msix } of records) {
        if (!msix) continue;
        const own = new Machine({ plugged: topologyFromRecords(records) });
        const device = own.device(bdf);
        device.enable();
        const virqs = device.enableMsix(msix.nvec);
        for (const virq of virqs) own.host.irqs.requestIrq(virq, () => true, 'test');
        const model = own.model.functionAt(device.id >> 8, (device.id >> 3) & 31, device.id & 7);
        for (const vector of virqs.keys()) expect(model?.raise(vector)).toBe(true);
        expect(own.sent.map(({ requesterId }) => requesterId)).toEqual(virqs.map(() => device.requesterId));
      }
    });
  });
});

describeWithShared('boot B', () => {
  it('gets the messages that Linux programmed, when vectors are enabled as its drivers enabled them', () => {
    const records = recordsOf('B');
    const machine = new Machine({ plugged: topologyFromRecords(records), firstSpi: 0x50 });
    const on = (bdf: string, nr: number): void => {
      const device = machine.device(`0000:${bdf}`);
      device.enable();
      if (device.findCapability(0x11) === undefined) device.enableMsi(nr);
      else device.enableMsix(nr);
    };
    const off = (...bdfs: readonly string[]): void =>
      bdfs.forEach((bdf) => machine.device(`0000:${bdf}`).freeVectors());
    on('00:01.0', 1);
    on('00:07.0', 1);
    on('00:03.0', 3);
    on('00:02.0', 3);
    // Each NVMe driver takes one vector for its admin queue, and gives it back before it takes what its I/O queues need.
    for (const nvme of ['00:05.0', '00:08.0', '01:00.0']) on(nvme, 1);
    off('00:08.0', '00:05.0');
    on('00:05.0', 3);
    off('01:00.0');
    on('01:00.0', 3);
    on('00:08.0', 3);
    on('00:04.0', 3);
    for (const { bdf, msix, msi } of records) {
      const ours = machine.device(bdf).msiDescs.map(({ msg }) => [msg.address, msg.data]);
      const programmed = (msix?.table ?? (msi ? [msi] : [])).filter(({ addr }) => Number(addr) !== 0);
      expect([bdf, ours]).toEqual([bdf, programmed.map(({ addr, data }) => [Number(addr), Number(data)])]);
    }
  });
});

describe('records', () => {
  const record = (bdf: string, config: string): PciRecord => ({ bdf, config, resource: [] });
  const endpoint = '00'.repeat(64);

  it.each([
    ['0000:00:00.0', '00'.repeat(63)],
    ['0000:00:00.0', 'zz'.repeat(64)],
    ['0000:00:00.0', '0'.repeat(129)],
  ])('that are no configuration space are refused', (bdf, config) => {
    expect(() => shellFromRecord(record(bdf, config))).toThrow('(EINVAL)');
  });

  it('on a bus that no bridge leads to are refused', () => {
    const records = [record('0000:00:01.0', endpoint), record('0000:05:00.0', endpoint)];
    expect(() => topologyFromRecords(records)).toThrow('0000:05:00.0: no recorded bridge leads to its bus (EINVAL)');
    expect(() => topologyFromRecords([record('nonsense', endpoint)])).toThrow('(EINVAL)');
    expect(topologyFromRecords([])).toEqual([]);
  });
});
