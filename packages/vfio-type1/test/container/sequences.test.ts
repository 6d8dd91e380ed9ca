// SPDX-License-Identifier: Apache-2.0
// R15, R21, R22: random sequences of calls, each answer and what is mapped beside a small reference of the uapi's rules.

import { runs, seed } from '@irqkit-test/env';
import { IOMMU_PROT } from '@irqkit/core';
import { VFIO_EXTENSION } from '@irqkit/vfio-type1';
import fc from 'fast-check';
import { Reference } from '../support/reference.js';
import type { Access, Answer } from '../support/reference.js';
import { Rig } from '../support/rig.js';
import { errnoOf, openedContainer } from '../support/session.js';

const PAGE = 0x1000;
/** The last eight pages lie in the SW_MSI window. */
const NR_PAGES = 24;
const BASE = 0x800_0000 - 16 * PAGE;
const MEMLOCK_PAGES = 14;
const ENTRY_LIMIT = 5;
const MEMORY_PAGES = 24;

// Process memory: sixteen pages to write, four to read, four that are not there.
const accessOf = (page: number): Access => (page < 16 ? 'rw' : page < 20 ? 'ro' : 'none');

type Step =
  | {
      readonly call: 'map';
      readonly first: number;
      readonly count: number;
      readonly memory: number;
      readonly write: boolean;
    }
  | { readonly call: 'unmap' | 'invalidate' | 'update' | 'provide'; readonly first: number; readonly count: number }
  | { readonly call: 'unmapAll' | 'bind' | 'unbind' };

const first = fc.integer({ min: 0, max: NR_PAGES - 4 });
const count = fc.integer({ min: 0, max: 8 });
const page = fc.integer({ min: 0, max: MEMORY_PAGES - 8 });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ call: fc.constant('map' as const), first, count, memory: page, write: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ call: fc.constantFrom('unmap' as const, 'invalidate', 'update'), first, count }),
  },
  { weight: 1, arbitrary: fc.record({ call: fc.constant('provide' as const), first, count }) },
  { weight: 1, arbitrary: fc.record({ call: fc.constantFrom('unmapAll' as const, 'bind', 'unbind') }) },
);

function start(v1: boolean, user: boolean) {
  const rig = new Rig({ settings: { dmaEntryLimit: ENTRY_LIMIT } });
  rig.bound('dev');
  const before = rig.state;
  const process = rig.process({ ipcLock: false, memlockBytes: MEMLOCK_PAGES * PAGE });
  const type = v1 ? VFIO_EXTENSION.TYPE1_IOMMU : VFIO_EXTENSION.TYPE1v2_IOMMU;
  const session = openedContainer(rig, { policy: user ? 'user' : 'sw-msi', type, process });
  const memory = process.mm.mmap({ sizeBytes: 20 * PAGE, unitBytes: 4 * PAGE });
  process.mm.mprotect(memory + 16 * PAGE, 4 * PAGE, { read: true, write: false });
  const options = {
    v1,
    user,
    entryLimit: ENTRY_LIMIT,
    memlockPages: MEMLOCK_PAGES,
    reservedFrom: 16,
    nrPages: NR_PAGES,
  };
  return { rig, before, memory, reference: new Reference(options, accessOf), ...session };
}

type World = ReturnType<typeof start>;

function expected({ reference }: World, step: Step): Answer {
  switch (step.call) {
    case 'map':
      return reference.map(step, step.memory, step.write);
    case 'unmap':
    case 'invalidate':
    case 'update':
    case 'provide':
      return reference[step.call](step);
    case 'unmapAll':
      return reference.unmapAll();
    case 'bind':
      return reference.bind();
    case 'unbind':
      reference.bound = false;
      return 0;
  }
}

/** An errno, or how many pages the call took. */
function answer(world: World, step: Step): Answer {
  let taken = 0;
  const code = errnoOf(() => (taken = make(world, step)));
  return code ?? taken / PAGE;
}

function make({ iommu, process, memory, rig }: World, step: Step): number {
  const range =
    'first' in step ? { iova: BASE + step.first * PAGE, sizeBytes: step.count * PAGE } : { iova: 0, sizeBytes: 0 };
  const [device] = rig.opened;
  switch (step.call) {
    case 'map':
      iommu.mapDma({ ...range, vaddr: memory + step.memory * PAGE, read: true, write: step.write }, process);
      return 0;
    case 'unmap':
      return iommu.unmapDma(range, process);
    case 'invalidate':
      return iommu.invalidateVaddr(range, process);
    case 'update':
      iommu.updateVaddr({ ...range, vaddr: memory }, process);
      return 0;
    case 'provide':
      iommu.provideMsiWindow(range);
      return 0;
    case 'unmapAll':
      return iommu.unmapAll(process);
    case 'bind':
      if (device.device.msiDescs.length === 0) device.enableMsi();
      return 0;
    case 'unbind':
      device.disableMsi();
      return 0;
  }
}

function compareState({ rig, reference, iommu, process, memory }: World): void {
  expect(process.mm.lockedPages).toBe(reference.lockedPages);
  expect(iommu.info.dmaAvailable).toBe(reference.available);
  const domain = rig.iommu.domainOf(rig.opened[0].device);
  for (let page = 0; page < NR_PAGES + 8; page++) {
    const [found, wanted] = [domain.lookUp(BASE + page * PAGE), reference.at(page)];
    if (wanted)
      expect(found).toEqual({
        pa: process.mm.physOf(memory + wanted.memory * PAGE),
        prot: IOMMU_PROT.CACHE | IOMMU_PROT.READ | (wanted.write ? IOMMU_PROT.WRITE : 0),
      });
    // A doorbell may be all else that is mapped: in its window, and nowhere when MSIs are off.
    else if (found) expect([found.pa, page >= (reference.window?.first ?? 16)]).toEqual([0x809_0000, true]);
  }
}

test('R15, R21, R22: containers answer and map as the uapi says, and leave nothing', () => {
  const property = fc.property(fc.boolean(), fc.boolean(), fc.array(step, { maxLength: 30 }), (v1, user, steps) => {
    const world = start(v1, user);
    for (const each of steps) {
      const wanted = expected(world, each);
      expect({ step: each, answer: answer(world, each) }).toEqual({ step: each, answer: wanted });
      compareState(world);
    }
    world.process.exit();
    expect(world.rig.state).toEqual(world.before);
    expect(world.process.mm.lockedPages).toBe(0);
  });
  fc.assert(property, { seed, numRuns: runs(300, 20_000) });
});
