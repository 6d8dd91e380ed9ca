// SPDX-License-Identifier: Apache-2.0
// R8-R10 observed on the bus: at no step of software is an address that a function holds unmapped, nothing is released before
// messages are zero, and moving or activating takes, maps, releases and waits for nothing.

import { lookupDoorbell } from '@irqkit/core';
import type { Iova, UserDomain } from '@irqkit/core';
import { doorOf } from './support/acme-doors.js';
import { DoorbellObserver } from './support/doorbell-observer.js';
import { HookedBus } from './support/hooked-bus.js';
import { PCIE, itsPlatform } from './support/its-platform.js';
import { ItsQueue } from './support/its-queue.js';
import { DOORS, ITS, SMMU, behind, doorsNode, smmuNodes } from './support/smmu-platform.js';
import { SmmuSystem } from './support/smmu-system.js';
import { SmmuTables } from './support/smmu-tables.js';

const NR_VECTORS = 4;
const WINDOW = 0x2000_0000 as Iova;
/** 00:01.0 and 00:02.0 use the doors, 00:03.0 and 00:04.0 the ITS. */
const WITH_DOORS = [0, 1];
const WITH_ITS = [2, 3];
const ALL = [...WITH_DOORS, ...WITH_ITS];

let bus: HookedBus;
let system: SmmuSystem;
let tables: SmmuTables;
let observer: DoorbellObserver;
let window: UserDomain | undefined;

beforeEach(() => {
  window = undefined;
  system = new SmmuSystem({
    firmware: itsPlatform({
      nrCpus: 4,
      itss: [ITS],
      msiMap: [0x00, DOORS.phandle, 0, 0x18, 0x18, ITS.phandle, 0x18, 0x100],
      pcie: behind(SMMU),
      nodes: { ...smmuNodes(SMMU), ...doorsNode() },
    }),
    pcie: PCIE,
    vectors: ALL.map(() => NR_VECTORS),
    bus: (own) => (bus = new HookedBus(own)),
  });
  tables = new SmmuTables(system.board, SMMU.base);
  observer = new DoorbellObserver(system, tables);
});

afterEach(() => {
  bus.hooks = {};
  for (const which of ALL) system.disable(which);
  if (window) for (const { iommuGroup } of system.devices) system.host.iommus.detachGroup(window, iommuGroup!);
  window?.free();
  system.host.teardown();
  system.board.dispose();
});

/** Every function into one domain with a user's window. */
function enterWindow(): void {
  const { iommus } = system.host;
  window = iommus.allocDomain(system.devices[0].iommuGroup!, 'unmanaged', { userWindow: true });
  window.userWindow!.provide(WINDOW, 0x5000);
  for (const { iommuGroup } of system.devices) iommus.attachGroup(window, iommuGroup!);
}

/** Has the k-th write to a function refused while `work` runs; true where that made `work` fail. The observer goes on. */
function refusing(): (k: number, work: () => void) => boolean {
  let left = 0;
  bus.hooks = {
    write(address) {
      if (address >= 0x1000_0000 && address < 0x4000_0000 && --left === 0) throw new Error('refused');
      return observer.write(address);
    },
    written: (address) => observer.written(address),
  };
  return (k, work) => {
    left = k;
    try {
      work();
      return false;
    } catch (error) {
      expect((error as Error).message).toBe('refused');
      return true;
    } finally {
      left = 0;
    }
  };
}

const POLICIES = { 'DMA domains': () => undefined, 'a user window': enterWindow };

describe.each(Object.entries(POLICIES))('in %s', (_name, enter) => {
  beforeEach(() => {
    enter();
    bus.hooks = observer;
  });

  test('R10: no instant at which an address that a function holds is unmapped', () => {
    for (let round = 0; round < 2; round++) {
      for (const which of ALL) system.enable(which, NR_VECTORS);
      for (const cpu of [2, 0, 3, 1])
        for (const which of ALL)
          for (let vector = 0; vector < NR_VECTORS; vector++) {
            system.host.irqs.setAffinity(system.virq(which, vector), [cpu]);
            expect(system.taken(() => system.raise(which, vector))).toEqual([`${which}.${vector}@${cpu}`]);
          }
      // Those that are left still use what those that go have used.
      for (const which of ALL) {
        system.disable(which);
        expect(system.programmed(which)).toEqual([0, 0, 0, 0]);
      }
    }
    expect(observer.violations).toEqual([]);
    expect(observer.nrSteps).toBeGreaterThan(1000);
  });

  test('R10: a failure on the way, too, leaves no such instant', () => {
    for (const which of WITH_DOORS) system.enable(which, NR_VECTORS - 1);
    const refused = refusing();
    let nrRefused = 0;
    while (refused(nrRefused + 1, () => system.devices[2].enableMsix(NR_VECTORS))) nrRefused++;
    // Of each vector three words of its message.
    expect(nrRefused).toBeGreaterThan(3 * NR_VECTORS);
    system.devices[2].freeVectors();
    system.enable(2, NR_VECTORS);
    expect(system.taken(() => system.raise(2, 0))).toHaveLength(1);
    expect(observer.violations).toEqual([]);
  });

  test('R8, R10: a move that fails on the way leaves the message and the processor', () => {
    system.enable(0, NR_VECTORS);
    const before = system.messages(0);
    const refused = refusing();
    const move = (): void => system.host.irqs.setAffinity(system.virq(0, 1), [3]);
    let nrRefused = 0;
    for (; refused(nrRefused + 1, move); nrRefused++) {
      expect(system.messages(0)).toEqual(before);
      expect(system.taken(() => system.raise(0, 1))).toEqual(['0.1@0']);
    }
    // Masked, three words, and unmasked.
    expect(nrRefused).toBe(5);
    expect(system.taken(() => system.raise(0, 1))).toEqual(['0.1@3']);
    expect(observer.violations).toEqual([]);
  });

  test('the observer sees a page that goes too early', () => {
    system.enable(0, NR_VECTORS);
    const [{ iova }] = system.domain(0).msiBindings!.bindings;
    system.domain(0).unmap(iova, 0x1000);
    expect(observer.violations).not.toEqual([]);
  });

  test('R9: messages are zero before anything of theirs is released', () => {
    const queue = new ItsQueue(system.board, ITS.base);
    for (const which of ALL) system.enable(which, NR_VECTORS);
    const early: string[] = [];
    for (const [place, which] of ALL.entries()) {
      const { msiDeviceId } = system.devices[which];
      let seen = queue.executed().length;
      const released: string[] = [];
      const look = (what: string): void => {
        released.push(what);
        if (system.programmed(which).some((address) => address !== 0)) early.push(`${which}: ${what}`);
      };
      bus.hooks = {
        freed: () => look('memory'),
        written: (address) => {
          if (address === SMMU.base + 0x98) look('a translation');
          const commands = address === ITS.base + 0x88 ? queue.executed().slice(seen) : [];
          seen += commands.length;
          for (const { name, deviceId, eventId, valid } of commands) {
            expect(deviceId === msiDeviceId || name === 'SYNC').toBe(true);
            if (name === 'MAPD' && !valid) look('the interrupt translation table');
            if (name === 'DISCARD' && system.programmed(which)[eventId] !== 0) early.push(`${which}: event ${eventId}`);
          }
        },
      };
      system.disable(which);
      // The last of a user's window to use a page has it unmapped.
      const isLast = window !== undefined && (place === WITH_DOORS.length - 1 || place === ALL.length - 1);
      expect(released.includes('a translation')).toBe(isLast);
      expect(released.includes('the interrupt translation table')).toBe(WITH_ITS.includes(which));
    }
    expect(early).toEqual([]);
  });
});

describe('R8: what moving, activating and deactivating do not do', () => {
  /** Counts what software takes from memory and does with the SMMU while `work` runs. */
  const costs = (work: () => void): object => {
    let [taken, accesses] = [0, 0];
    const count = (address: number): boolean => {
      if (address >= SMMU.base && address < SMMU.base + 0x2_0000) accesses++;
      return true;
    };
    const state = (): unknown =>
      system.devices.map(({ requesterId }, which) => [
        tables.entry(requesterId),
        tables.descriptors(requesterId),
        system.domain(which).msiBindings!.bindings,
        system.dmaDomain(which).iovas.nrAllocated,
      ]);
    const before = state();
    bus.hooks = { alloc: () => void taken++, freed: () => void taken++, write: count, read: count };
    work();
    bus.hooks = {};
    expect(state()).toEqual(before);
    return { taken, accesses };
  };

  const NOTHING = { taken: 0, accesses: 0 };

  beforeEach(() => {
    for (const which of ALL) system.enable(which, NR_VECTORS);
  });

  test('R8, R10: to another door: the message is rewritten from the binding that is there', () => {
    for (const cpu of [1, 3, 2, 0]) {
      const work = (): void => system.host.irqs.setAffinity(system.virq(0, 1), [cpu]);
      expect(costs(work)).toEqual(NOTHING);
      expect(system.messages(0)[1]).toEqual([0xffff_f024 - 0x1000 * cpu, 1]);
    }
  });

  test('R8, R10: on an ITS: MOVI and its SYNC, and the message stays', () => {
    const queue = new ItsQueue(system.board, ITS.base);
    const before = system.messages(2);
    const commands = queue.during(() =>
      expect(costs(() => system.host.irqs.setAffinity(system.virq(2, 1), [3]))).toEqual(NOTHING),
    );
    expect(commands.map(({ name }) => name)).toEqual(['MOVI', 'SYNC']);
    expect(system.messages(2)).toEqual(before);
  });

  test.each([...ALL])('R8, R9: deactivating and activating function %d: zero, and the bound address again', (which) => {
    const { irqs } = system.host;
    const before = system.messages(which);
    const virq = system.virq(which, 2);
    expect(costs(() => irqs.deactivate(virq))).toEqual(NOTHING);
    expect(system.messages(which)[2]).toEqual([0, 0]);
    expect(costs(() => irqs.activate(virq))).toEqual(NOTHING);
    expect(system.messages(which)).toEqual(before);
    expect(system.taken(() => system.raise(which, 2))).toHaveLength(1);
  });

  test('R8: without a binding: EINVAL, the message stays, a warning', () => {
    const { irqs, log } = system.host;
    const before = system.messages(0);
    const doorbell = lookupDoorbell(irqs.irqData(system.virq(0, 0)))!;
    const translation = system.devices[0].msiTranslation!;
    for (let n = 0; n < NR_VECTORS; n++) translation.unbind(doorbell);
    expect(() => irqs.setAffinity(system.virq(0, 0), [2])).toThrow('(EINVAL)');
    expect(system.messages(0)).toEqual(before);
    expect(log.warnings.at(-1)).toBe(`0000:00:01.0: doorbell 0x${doorOf(DOORS.base, 2).toString(16)} has no binding`);
    for (let n = 0; n < NR_VECTORS; n++) translation.bind(doorbell);
    expect(system.taken(() => system.raise(0, 0))).toEqual(['0.0@0']);
    irqs.setAffinity(system.virq(0, 0), [2]);
    expect(system.taken(() => system.raise(0, 0))).toEqual(['0.0@2']);
  });
});
