// SPDX-License-Identifier: Apache-2.0
// R3-R6 with ITSs end to end: two in one tree, one behind a pre-ITS, and beside them what does not isolate.

import { DOORBELL_PROT, IRQ_DOMAIN_FLAG, lookupDoorbell, msiGetDomainInfo, physAddr } from '@irqkit/core';
import type { Requester } from '@irqkit/core';
import { GicV3Driver } from '@irqkit/gic-v3';
import { GicV3ItsDriver } from '@irqkit/gic-v3-its';
import { GIC_PHANDLE, PCIE, itsPath, itsPlatform } from './support/its-platform.js';
import type { ItsFacts } from './support/its-platform.js';
import { ItsQueue } from './support/its-queue.js';
import { ItsSystem } from './support/its-system.js';

const FIRST: ItsFacts = { base: 0x808_0000, phandle: 2 };
const SECOND: ItsFacts = { base: 0x90a_0000, phandle: 3 };
const PRE_ITS = { base: 0x5800_0000, sizeBytes: 0x20_0000 };
const BEHIND_PRE_ITS: ItsFacts = {
  ...SECOND,
  properties: { 'socionext,synquacer-pre-its': [PRE_ITS.base, PRE_ITS.sizeBytes] },
};
const NR_VECTORS = 8;

/** RequesterIDs 00:01.0 (0x08) to the first ITS as DeviceID 0x108, 00:02.0 (0x10) to the second as DeviceID 0. */
const SPLIT = [0x00, FIRST.phandle, 0x100, 0x10, 0x10, SECOND.phandle, 0x0, 0xfff0];

const writer = (deviceId: number): Requester => ({
  kind: 'device',
  cpu: -1,
  requesterId: deviceId,
  streamId: -1,
  deviceId,
});

describe('two ITSs in one tree', () => {
  let system: ItsSystem;
  /** What the ITSs report to have dropped. */
  let dropped: readonly (readonly string[])[];
  const itss = [FIRST, SECOND];

  beforeEach(() => {
    dropped = [];
    system = new ItsSystem({
      firmware: itsPlatform({ nrCpus: 2, itss, msiMap: SPLIT }),
      pcie: PCIE,
      vectors: [NR_VECTORS, NR_VECTORS],
    });
    system.enable(0, NR_VECTORS);
    system.enable(1, NR_VECTORS);
  });

  afterEach(() => {
    expect(system.board.log.entries.map(({ path, message }) => [path, message])).toEqual(dropped);
    system.host.teardown();
    expect(system.host.doorbells.all).toEqual([]);
    system.board.dispose();
  });

  test('R5: each registers its GITS_TRANSLATER, four bytes, with remapping', () => {
    expect(system.host.doorbells.all).toEqual(
      itss.map(({ base }) => ({
        globalDoorbell: base + 0x1_0040,
        sizeBytes: 4,
        prot: DOORBELL_PROT,
        irqRemapping: true,
      })),
    );
    expect(system.host.doorbells.safe()).toBe(true);
    expect(system.host.doorbells.pages(12)).toBe(2);
  });

  test('R6: the domain follows msi-map, and each remaps', () => {
    const parents = system.devices.map(({ msiDomain }) => msiDomain?.parent);
    const own = itss.map((its) => system.driver(GicV3ItsDriver, itsPath(its)).domain);
    expect(parents.map((domain) => domain?.name)).toEqual(itss.map(itsPath));
    expect(parents.every((domain, i) => domain === own[i])).toBe(true);
    for (const { msiDomain } of system.devices) {
      expect(msiDomain?.hasFlag(IRQ_DOMAIN_FLAG.ISOLATED_MSI)).toBe(true);
      expect(msiGetDomainInfo(msiDomain!)).toBeDefined();
    }
  });

  test('R4: DeviceID, EventID and doorbell follow msi-map', () => {
    expect(system.devices.map(({ msiDeviceId }) => msiDeviceId)).toEqual([0x108, 0x0]);
    system.devices.forEach(({ msiDescs }, which) => {
      const doorbell = itss[which].base + 0x1_0040;
      msiDescs.forEach(({ msg, virq }, vector) => {
        expect([msg.address, msg.data]).toEqual([doorbell, vector]);
        expect(lookupDoorbell(system.host.irqs.irqData(virq))).toMatchObject({ globalDoorbell: doorbell });
      });
    });
    const mapped = itss.map(({ base }) =>
      new ItsQueue(system.board, base)
        .executed()
        .filter(({ name }) => name === 'MAPD' || name === 'MAPTI')
        .map(({ deviceId }) => deviceId),
    );
    expect(mapped).toEqual([
      Array<number>(NR_VECTORS + 1).fill(0x108),
      // DeviceID 0 may stand for many: it takes 32 LPIs, and as many MAPTIs as it has vectors.
      Array<number>(NR_VECTORS + 1).fill(0),
    ]);
  });

  test('LPIs of both are of one space: no two vectors share one', () => {
    const lpis = system.devices.flatMap(({ msiDescs }) =>
      msiDescs.map(({ virq }) => system.host.irqs.irqData(virq).parent!.hwirq),
    );
    expect(lpis).toEqual([...lpis.keys()].map((i) => 8192 + i));
  });

  test('every vector of both arrives, and none at the ITS that is not its own', () => {
    for (const which of [0, 1])
      for (let vector = 0; vector < NR_VECTORS; vector++)
        expect(system.taken(() => system.raise(which, vector))).toEqual([`${which}.${vector}@${vector % 2}`]);
    const wrong = physAddr(SECOND.base + 0x1_0040);
    expect(system.taken(() => system.board.access.deviceWrite(wrong, 0, 4, writer(0x108)))).toEqual([]);
    dropped = [[itsPath(SECOND), 'MSI of DeviceID 0x108, EventID 0x0 dropped: UNMAPPED_DEVICE']];
  });

  test('R6, R10: an affinity move issues MOVI to the ITS of the vector alone and leaves the message', () => {
    const queues = itss.map(({ base }) => new ItsQueue(system.board, base));
    const [, { msiDescs }] = system.devices;
    const table = system.devices[1].barRegion(0).base + 0x2000;
    const programmed = (): readonly number[] =>
      [0, 4, 8, 12].map((at) => system.board.access.read(physAddr(table + 16 * 3 + at), 4, 0));
    const before = { message: { ...msiDescs[3].msg }, programmed: programmed() };
    const to = system.taken(() => system.raise(1, 3))[0] === '1.3@0' ? 1 : 0;
    const commands = queues.map((queue) => ({ queue, nr: queue.executed().length }));
    system.host.irqs.setAffinity(system.virq(1, 3), [to]);
    const issued = commands.map(({ queue, nr }) =>
      queue
        .executed()
        .slice(nr)
        .map(({ name, deviceId, eventId, icid }) => (name === 'MOVI' ? [name, deviceId, eventId, icid] : name)),
    );
    expect(issued).toEqual([[], [['MOVI', 0, 3, to], 'SYNC']]);
    expect({ message: { ...msiDescs[3].msg }, programmed: programmed() }).toEqual(before);
    expect(before.programmed.slice(0, 3)).toEqual([SECOND.base + 0x1_0040, 0, 3]);
    expect(system.taken(() => system.raise(1, 3))).toEqual([`1.3@${to}`]);
  });

  test('one ITS serves on where the other is left by its last device', () => {
    system.disable(0);
    expect(system.taken(() => system.raise(0, 0))).toEqual([]);
    expect(system.taken(() => system.raise(1, 0))).toEqual(['1.0@0']);
    system.enable(0, NR_VECTORS);
    expect(system.taken(() => system.raise(0, 1))).toHaveLength(1);
  });
});

describe('an ITS behind a pre-ITS, beside one that is not', () => {
  const doorbellOf = (deviceId: number): number => PRE_ITS.base + 4 * deviceId;
  const msiMap = [0x00, FIRST.phandle, 0, 0x10, 0x10, SECOND.phandle, 0x10, 0xfff0];
  let system: ItsSystem;

  beforeEach(() => {
    const firmware = itsPlatform({ nrCpus: 2, itss: [FIRST, BEHIND_PRE_ITS], msiMap });
    system = new ItsSystem({ firmware, pcie: PCIE, vectors: [4, 4, 4] });
    for (const which of [0, 1, 2]) system.enable(which, 4);
  });

  afterEach(() => {
    system.host.teardown();
    system.board.dispose();
  });

  test('R5: its doorbell is the window, which does not remap', () => {
    expect(system.host.doorbells.all.find(({ irqRemapping }) => !irqRemapping)).toEqual({
      globalDoorbell: PRE_ITS.base,
      sizeBytes: PRE_ITS.sizeBytes,
      prot: DOORBELL_PROT,
      irqRemapping: false,
    });
    expect(system.host.doorbells.pages(12)).toBe(1 + PRE_ITS.sizeBytes / 0x1000);
  });

  test('R5: a message goes to the window at DeviceID << 2 and arrives', () => {
    const [, second, third] = system.devices;
    expect([second.msiDeviceId, third.msiDeviceId]).toEqual([0x10, 0x18]);
    expect(second.msiDescs.map(({ msg }) => [msg.address, msg.data])).toEqual(
      [0, 1, 2, 3].map((event) => [doorbellOf(0x10), event]),
    );
    expect(third.msiDescs[0].msg.address).toBe(doorbellOf(0x18));
    for (const which of [0, 1, 2])
      expect(system.taken(() => system.raise(which, 2))).toEqual([expect.stringMatching(`^${which}.2@`)]);
  });

  test('R3, R6: its devices are not isolated, those of the other ITS are; the machine as a whole is not safe', () => {
    const { doorbells } = system.host;
    expect(system.devices.map((device) => doorbells.hasIsolatedMsi(device))).toEqual([true, false, false]);
    expect(system.devices.map(({ msiDomain }) => msiDomain?.hasFlag(IRQ_DOMAIN_FLAG.ISOLATED_MSI))).toEqual([
      true,
      false,
      false,
    ]);
    expect(doorbells.safe()).toBe(false);
  });

  test('R24: why: a device writes as another one there, and cannot at the other ITS', () => {
    const { access } = system.board;
    const [first, second] = system.devices;
    const forge = (address: number, data: number, by: number) =>
      system.taken(() => access.deviceWrite(physAddr(address), data, 4, writer(by)));
    const { msg } = second.msiDescs[1];
    expect(forge(msg.address, msg.data, 0x18)).toEqual([expect.stringMatching('^1.1@')]);
    const other = first.msiDescs[1].msg;
    expect(forge(other.address, other.data, 0x18)).toEqual([]);
  });
});

describe('message-based SPIs beside an ITS', () => {
  const gic = { 'msi-controller': true, 'mbi-ranges': [64, 32] } as const;
  let system: ItsSystem;

  beforeEach(() => {
    const msiMap = [0x00, GIC_PHANDLE, 0, 0x10, 0x10, FIRST.phandle, 0x10, 0xfff0];
    system = new ItsSystem({
      firmware: itsPlatform({ nrCpus: 2, gic, itss: [FIRST], msiMap }),
      pcie: PCIE,
      vectors: [NR_VECTORS, NR_VECTORS],
    });
    system.enable(0, NR_VECTORS);
    system.enable(1, NR_VECTORS);
  });

  afterEach(() => {
    expect(system.board.log.entries).toEqual([]);
    system.host.teardown();
    system.board.dispose();
  });

  test('R5: the doorbell is GICD_SETSPI_NSR, without remapping; a message carries the INTID', () => {
    expect(system.host.doorbells.all).toContainEqual({
      globalDoorbell: 0x800_0040,
      sizeBytes: 4,
      prot: DOORBELL_PROT,
      irqRemapping: false,
    });
    expect(system.devices[0].msiDescs.map(({ msg }) => [msg.address, msg.data])).toEqual(
      Array.from({ length: NR_VECTORS }, (_, vector) => [0x800_0040, 64 + vector]),
    );
  });

  test('R3, R6: the device that uses them is not isolated, the one of the ITS is', () => {
    const { doorbells } = system.host;
    expect(system.devices.map((device) => doorbells.hasIsolatedMsi(device))).toEqual([false, true]);
    expect(doorbells.safe()).toBe(false);
  });

  test('every vector arrives once, and where it is moved to', () => {
    for (let vector = 0; vector < NR_VECTORS; vector++) {
      system.host.irqs.setAffinity(system.virq(0, vector), [vector % 2]);
      expect(system.taken(() => system.raise(0, vector))).toEqual([`0.${vector}@${vector % 2}`]);
      expect(system.taken(() => system.raise(1, vector))).toHaveLength(1);
    }
  });

  test('a processor goes: its SPIs and its LPIs go on elsewhere', () => {
    for (const which of [0, 1]) system.host.irqs.setAffinity(system.virq(which, 0), [1]);
    system.driver(GicV3Driver).setOnline(1, false);
    expect(system.taken(() => [0, 1].forEach((which) => system.raise(which, 0)))).toEqual(['0.0@0', '1.0@0']);
  });
});
