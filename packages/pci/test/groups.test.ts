// SPDX-License-Identifier: Apache-2.0
// Which functions share an IOMMU group, on model topologies and as recorded from a running Linux.

import { readFileSync } from 'node:fs';
import { eduLike, nvmeLike, pciPciBridge, pciePciBridge, rootPort, topologyFromRecords } from '@irqkit/pci';
import type { PciRecord, PciSlot } from '@irqkit/pci';
import { describeWithShared, sharedPath } from '@irqkit-test/env';
import { Machine } from './support/machine.js';
import { ToyIommu } from './support/toy-iommu.js';

// Source Validation, P2P Request and Completion Redirect, Upstream Forwarding.
const REQUIRED = 0x1d;

const machineWith = (plugged: readonly PciSlot[], bypasses?: (id: number) => boolean) => {
  const iommu = new ToyIommu();
  const machine = new Machine({ plugged, iommu, ...(bypasses && { bypasses }) });
  return { iommu, machine };
};
const groupsOf = ({ host }: Machine) =>
  host.iommus.groups.map(({ id, devices }) => ({ group: id, devices: devices.map(({ name }) => name) }));

describe('functions behind an IOMMU', () => {
  it('join their groups as they are enabled, bridges first', () => {
    const { iommu, machine } = machineWith([
      { device: 1, model: rootPort(), behind: [{ device: 0, model: nvmeLike({ vectors: 2 }) }] },
      { device: 2, model: nvmeLike({ vectors: 2 }) },
    ]);
    expect(machine.host.iommus.groups).toEqual([]);
    machine.device('0000:00:02.0').enable();
    machine.device('0000:01:00.0').enable();
    machine.device('0000:01:00.0').enable();
    expect(groupsOf(machine)).toEqual([
      { group: 0, devices: ['0000:00:02.0'] },
      { group: 1, devices: ['0000:00:01.0', '0000:01:00.0'] },
    ]);
    expect(iommu.ids).toEqual([
      ['0000:00:02.0', [0x2_0010]],
      ['0000:00:01.0', [0x2_0008]],
      ['0000:01:00.0', [0x2_0100]],
    ]);
  });

  it('have groups of their own behind a port whose ACS is on', () => {
    const { machine } = machineWith([
      { device: 1, model: rootPort(), behind: [{ device: 0, model: nvmeLike({ vectors: 2 }) }] },
    ]);
    const port = machine.device('0000:00:01.0');
    port.writeConfig(port.findExtCapability(0x0d)! + 6, REQUIRED, 2);
    machine.device('0000:01:00.0').enable();
    expect(groupsOf(machine)).toEqual([
      { group: 0, devices: ['0000:00:01.0'] },
      { group: 1, devices: ['0000:01:00.0'] },
    ]);
  });

  it('have an id for every alias', () => {
    const { iommu, machine } = machineWith([
      {
        device: 7,
        model: pciePciBridge(),
        behind: [
          { device: 0, model: eduLike() },
          { device: 3, model: pciPciBridge(), behind: [{ device: 31, model: eduLike() }] },
        ],
      },
    ]);
    machine.device('0000:01:00.0').enable();
    machine.device('0000:02:1f.0').enable();
    expect(iommu.ids).toEqual([
      ['0000:00:07.0', [0x2_0038]],
      ['0000:01:00.0', [0x2_0100, 0x2_0100]],
      ['0000:01:03.0', [0x2_0118, 0x2_0100]],
      ['0000:02:1f.0', [0x2_02f8, 0x2_0118, 0x2_0100]],
    ]);
    expect(groupsOf(machine)).toHaveLength(1);
  });

  it('bypass it where firmware leaves one of their ids out', () => {
    const { iommu, machine } = machineWith(
      [{ device: 7, model: pciePciBridge(), behind: [{ device: 1, model: eduLike() }] }],
      (id) => id === 0x100,
    );
    const device = machine.device('0000:01:01.0');
    device.enable();
    expect([device.iommuIds, device.iommuGroup, device.enabled]).toEqual([[], undefined, true]);
    expect(iommu.ids).toEqual([['0000:00:07.0', [0x2_0038]]]);
  });

  it('R14: their messages go to the first page below 4 GiB; the windows of their bus are no IOVAs', () => {
    const { machine } = machineWith([{ device: 2, model: nvmeLike({ vectors: 2 }) }]);
    const device = machine.device('0000:00:02.0');
    device.enable();
    device.enableMsix(1);
    expect(device.msiDescs.map(({ msg }) => msg.address)).toEqual([0xffff_f040]);
    expect(device.untranslatedRanges).toEqual([
      { first: 0x1000_0000, last: 0x3efe_ffff },
      { first: 0x80_0000_0000, last: 0xff_ffff_ffff },
    ]);
  });

  it('stay off where the IOMMU refuses one, with the bridges above as they were', () => {
    const { iommu, machine } = machineWith([
      { device: 1, model: rootPort(), behind: [{ device: 0, model: nvmeLike({ vectors: 2 }) }] },
    ]);
    iommu.refused.add('0000:01:00.0');
    const device = machine.device('0000:01:00.0');
    expect(() => device.enable()).toThrow('0000:01:00.0: refused (EINVAL)');
    expect([device.enabled, machine.device('0000:00:01.0').enabled]).toEqual([false, false]);
    expect([groupsOf(machine), iommu.ids, iommu.nrDomains]).toEqual([[], [], 0]);
    iommu.refused.clear();
    device.enable();
    expect(groupsOf(machine)).toEqual([{ group: 0, devices: ['0000:00:01.0', '0000:01:00.0'] }]);
  });

  it('are found once their IOMMU is there, so that they leave before it goes', () => {
    const plugged = [{ device: 2, model: nvmeLike({ vectors: 2 }) }];
    const { host } = new Machine({ plugged, iommu: new ToyIommu(), iommuIsLate: true });
    expect(host.drivers.map(({ node }) => node.path)).toEqual(['/msi@8020000', '/iommu@9050000', '/pcie@10000000']);
  });

  it('R22: leave it at teardown, with vectors enabled', () => {
    const { iommu, machine } = machineWith([
      { device: 1, model: rootPort(), behind: [{ device: 0, model: nvmeLike({ vectors: 2 }) }] },
    ]);
    const device = machine.device('0000:01:00.0');
    device.enable();
    device.enableMsix(2);
    const { host } = machine;
    expect(host.drivers.map(({ node }) => node.path)).toEqual(['/msi@8020000', '/iommu@9050000', '/pcie@10000000']);
    host.teardown();
    expect([iommu.ids, iommu.attached.size, iommu.nrDomains]).toEqual([[], 0, 0]);
    expect([device.iommuGroup, device.msiTranslation, device.enabled]).toEqual([undefined, undefined, false]);
  });
});

interface Recorded extends PciRecord {
  readonly driver: string | null;
}
interface RecordedGroup {
  readonly group: number;
  readonly devices: readonly string[];
  readonly reserved_regions: readonly { readonly start: string; readonly end: string; readonly type: string }[];
}

describeWithShared('groups of a running Linux', () => {
  const read = <T>(boot: string, file: string): T[] =>
    readFileSync(sharedPath('data', 'boots', boot, file), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as T);
  const extCap = (device: { findExtCapability(id: number): number | undefined }) => device.findExtCapability(0x0d);

  it.each([
    ['A', 'in the order of its drivers', 0x0000],
    ['E', 'with the root port isolating', 0x001d],
  ])('boot %s, %s: the same members and reserved regions', (boot, _what, control) => {
    const records = read<Recorded>(boot, 'pci.jsonl');
    const expected = read<RecordedGroup>(boot, 'iommu_groups.jsonl');
    const { machine } = machineWith(topologyFromRecords(records));
    const port = machine.device('0000:00:01.0');
    port.writeConfig(extCap(port)! + 6, control, 2);
    for (const name of expected.flatMap(({ devices }) => devices.slice(0, 1))) machine.device(name).enable();
    for (const { bdf, driver } of records) if (driver !== null) machine.device(bdf).enable();
    expect(groupsOf(machine)).toEqual(expected.map(({ group: id, devices }) => ({ group: id, devices })));
    const { iommus } = machine.host;
    const shown = iommus.groups.map((one) =>
      iommus.resvRegions(one).map(({ base, sizeBytes }) => [base, base + sizeBytes - 1]),
    );
    expect(shown).toEqual(
      expected.map(({ reserved_regions: all }) => all.map(({ start, end }) => [Number(start), Number(end)])),
    );
  });

  it('functions of one device without ACS share a group', () => {
    const { machine } = machineWith(topologyFromRecords(read<Recorded>('A', 'pci.jsonl')));
    for (const name of ['0000:00:08.0', '0000:00:08.1']) machine.device(name).enable();
    expect(groupsOf(machine)).toEqual([{ group: 0, devices: ['0000:00:08.0', '0000:00:08.1'] }]);
  });
});
