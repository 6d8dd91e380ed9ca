// SPDX-License-Identifier: Apache-2.0
// A processor goes and comes back while interrupts flow: none is lost, none comes twice.

import { GicV3Driver } from '@irqkit/gic-v3';
import { PCIE, itsPlatform } from './support/its-platform.js';
import { ItsQueue } from './support/its-queue.js';
import { ItsSystem } from './support/its-system.js';

const ITS = 0x808_0000;
const NR_VECTORS = 16;
const NR_CPUS = 4;
const ALL = Array.from({ length: NR_VECTORS }, (_, vector) => vector);

describe('hot-unplug and return with interrupts flowing', () => {
  let system: ItsSystem;
  let gic: GicV3Driver;
  let queue: ItsQueue;

  beforeEach(() => {
    const itss = [{ base: ITS, phandle: 2 }];
    const firmware = itsPlatform({ nrCpus: NR_CPUS, itss, msiMap: [0, 2, 0, 0x1_0000] });
    system = new ItsSystem({ firmware, pcie: PCIE, vectors: [NR_VECTORS] });
    gic = system.driver(GicV3Driver);
    queue = new ItsQueue(system.board, ITS);
    system.enable(0, NR_VECTORS);
    for (const vector of ALL) system.host.irqs.setAffinity(system.virq(0, vector), [vector % NR_CPUS]);
  });

  afterEach(() => {
    expect(system.board.log.entries).toEqual([]);
    expect(system.host.log.warnings).toEqual([]);
    system.host.teardown();
    system.board.dispose();
  });

  const raiseAll = (): void => ALL.forEach((vector) => system.raise(0, vector));
  const vectorsOf = (taken: readonly string[]): readonly string[] => taken.map((each) => each.split('@')[0]).sort();
  const everyVector = ALL.map((vector) => `0.${vector}`).sort();

  test('what is pending on a processor that goes is taken elsewhere, once', () => {
    const taken = system.taken(() =>
      system.host.irqs.withIrqsDisabled(() => {
        raiseAll();
        gic.setOnline(3, false);
      }),
    );
    expect(vectorsOf(taken)).toEqual(everyVector);
    expect(taken.filter((each) => each.endsWith('@3'))).toEqual([]);
  });

  test('its four vectors move by MOVI, no other does, and messages stay', () => {
    const messages = system.devices[0].msiDescs.map(({ msg }) => ({ ...msg }));
    const issued = queue.during(() => gic.setOnline(3, false)).filter(({ name }) => name === 'MOVI');
    expect(issued.map(({ eventId }) => eventId)).toEqual([3, 7, 11, 15]);
    expect(issued.every(({ icid }) => icid < 3)).toBe(true);
    expect(system.devices[0].msiDescs.map(({ msg }) => ({ ...msg }))).toEqual(messages);
  });

  test('back again, its collection is mapped and invalidated anew, and takes what is moved to it', () => {
    gic.setOnline(3, false);
    const issued = queue.during(() => gic.setOnline(3, true)).map(({ name, icid }) => [name, icid]);
    expect(issued).toEqual([
      ['MAPC', 3],
      ['SYNC', 0],
      ['INVALL', 3],
      ['SYNC', 0],
    ]);
    expect(system.taken(raiseAll).filter((each) => each.endsWith('@3'))).toEqual([]);
    system.host.irqs.setAffinity(system.virq(0, 5), [3]);
    expect(system.taken(() => system.raise(0, 5))).toEqual(['0.5@3']);
  });

  test('down to one processor and up to all, raising before, between and after each step', () => {
    for (let round = 0; round < 3; round++) {
      for (const online of [false, true])
        for (const cpu of [3, 1, 2]) {
          const taken = system.taken(() =>
            system.host.irqs.withIrqsDisabled(() => {
              raiseAll();
              gic.setOnline(cpu, online);
            }),
          );
          expect(vectorsOf(taken)).toEqual(everyVector);
          expect(vectorsOf(system.taken(raiseAll))).toEqual(everyVector);
        }
      for (const vector of ALL) system.host.irqs.setAffinity(system.virq(0, vector), [vector % NR_CPUS]);
      expect(system.taken(raiseAll)).toEqual(ALL.map((vector) => `0.${vector}@${vector % NR_CPUS}`));
    }
  });

  test('the last one cannot go, and all goes on there', () => {
    for (const cpu of [0, 1, 2]) gic.setOnline(cpu, false);
    expect(() => gic.setOnline(3, false)).toThrow('(EBUSY)');
    expect(system.taken(raiseAll)).toEqual(ALL.map((vector) => `0.${vector}@3`));
  });
});
