// SPDX-License-Identifier: Apache-2.0
// R7, R10 for a third party's controller that has a doorbell for each processor, behind an SMMU.

import type { Iova } from '@irqkit/core';
import { doorOf } from './support/acme-doors.js';
import { PCIE, itsPlatform } from './support/its-platform.js';
import { DOORS, SMMU, behind, doorsNode, smmuNodes } from './support/smmu-platform.js';
import { SmmuSystem, expectAllArrive, untranslated } from './support/smmu-system.js';

const NR_VECTORS = 8;
/** StreamID of 00:01.0. */
const FIRST = 0x08;

describe('R10: a doorbell for each processor behind an SMMU', () => {
  let system: SmmuSystem;

  beforeEach(() => {
    const firmware = itsPlatform({
      nrCpus: 4,
      itss: [],
      msiMap: [0, DOORS.phandle, 0, 0x1_0000],
      pcie: behind(SMMU),
      nodes: { ...smmuNodes(SMMU), ...doorsNode() },
    });
    system = new SmmuSystem({ firmware, pcie: PCIE, vectors: [NR_VECTORS, 2] });
    system.enable(0, NR_VECTORS);
    system.enable(1, 2);
  });

  afterEach(() => {
    system.host.teardown();
    system.board.dispose();
  });

  /** Four pages from the top down, in the order of the processors. */
  const doorIova = (cpu: number): number => 0xffff_f024 - 0x1000 * cpu;

  test('R7: every door is bound before any vector is usable, once for each vector', () => {
    for (const [which, users] of [NR_VECTORS, 2].entries())
      expect(system.dmaDomain(which).msiBindings.bindings).toEqual(
        [0, 1, 2, 3].map((cpu) => ({
          iova: doorIova(cpu) - 0x24,
          pa: doorOf(DOORS.base, cpu) - 0x24,
          users,
        })),
      );
  });

  test('R10: a vector that moves is rewritten to the door of its processor, and arrives there', () => {
    for (let cpu = 0; cpu < 4; cpu++)
      for (let vector = 0; vector < NR_VECTORS; vector++) {
        system.host.irqs.setAffinity(system.virq(0, vector), [cpu]);
        expect(system.messages(0)[vector]).toEqual([doorIova(cpu), vector]);
        expect(system.taken(() => system.raise(0, vector))).toEqual([`0.${vector}@${cpu}`]);
      }
    expect(system.messages(1)).toEqual([
      [doorIova(0), NR_VECTORS],
      [doorIova(0), NR_VECTORS + 1],
    ]);
  });

  test('R7, R19: a window with room for three of the four: none is bound', () => {
    const { iommus } = system.host;
    system.disable(0);
    const group = system.devices[0].iommuGroup!;
    const domain = iommus.allocDomain(group, 'unmanaged', { userWindow: true });
    iommus.attachGroup(domain, group);
    domain.userWindow!.provide(0x2000_0000 as Iova, 0x3000);
    expect(() => system.enable(0, NR_VECTORS)).toThrow('(ENOSPC)');
    expect([domain.userWindow!.busy, domain.msiBindings!.bindings]).toEqual([false, []]);
    for (let page = 0; page < 3; page++)
      expect(domain.iovaToPhys((0x2000_0000 + page * 0x1000) as Iova)).toBeUndefined();
    iommus.detachGroup(domain, group);
    domain.free();
    system.enable(0, NR_VECTORS);
    expectAllArrive(system, 0);
  });

  test('a write to where a door really is arrives nowhere', () => {
    for (let cpu = 0; cpu < 4; cpu++) {
      const door = doorOf(DOORS.base, cpu);
      const taken = system.taken(() =>
        expect(system.stopped(() => system.store(0, door, 0))).toMatchObject([untranslated(FIRST, door)]),
      );
      expect(taken).toEqual([]);
    }
  });
});
