// SPDX-License-Identifier: Apache-2.0
// R11-R13 for a function behind an ITS and an SMMU, by the kind of the domain that it is in.

import type { Iova } from '@irqkit/core';
import { VIRT_STAGE2_SILICON } from '@irqkit/smmu-v3';
import { PCIE } from './support/its-platform.js';
import type { SystemFacts } from './support/its-system.js';
import { SMMU, itsBehindSmmu, smmuPath } from './support/smmu-platform.js';
import { SmmuSystem, WITHOUT_SMMU, expectAllArrive, untranslated } from './support/smmu-system.js';

const NR_VECTORS = 8;
/** RequesterIDs of 00:01.0 and 00:02.0, which are their StreamIDs. */
const FIRST = 0x08;
const SECOND = 0x10;

const events = (nr = NR_VECTORS): readonly number[] => [...Array(nr).keys()];

const build = (facts: Partial<SystemFacts> = {}): SmmuSystem =>
  new SmmuSystem({ firmware: itsBehindSmmu(), pcie: PCIE, vectors: [NR_VECTORS, NR_VECTORS], ...facts });

function close(system: SmmuSystem): void {
  system.host.teardown();
  expect(system.host.iommus.groups).toEqual([]);
  system.board.dispose();
}

describe('R12: what a doorbell lets devices do', () => {
  test('R12: at stage 1 reads pass: its tables have no write-only', () => {
    const system = build();
    system.enable(0, 1);
    expect(system.stopped(() => system.load(0, 0xffff_f040))).toEqual([]);
    close(system);
  });

  test('R12: at stage 2 they do not', () => {
    const system = build({ silicon: { [smmuPath(SMMU)]: VIRT_STAGE2_SILICON } });
    system.enable(0, 1);
    expect(system.stopped(() => expect(system.load(0, 0xffff_f040)).toBeUndefined())).toMatchObject([
      { type: 'F_PERMISSION', streamId: FIRST, access: 'read', address: 0xffff_f040, stage: 2, class: 'IN' },
    ]);
    expectAllArrive(system, 0);
    close(system);
  });
});

describe('R13: messages that are not translated', () => {
  const physical = events().map((event) => [0x809_0040, event]);

  test('R13: an identity domain: the physical address', () => {
    const system = build({ iommu: { passthrough: true } });
    system.enable(0, NR_VECTORS);
    expect(system.domain(0).type).toBe('identity');
    expect(system.messages(0)).toEqual(physical);
    expectAllArrive(system, 0);
    // Bypass stops nothing; what tells devices apart is the ITS.
    const nothing = system.taken(() => expect(system.stopped(() => system.store(0, 0x809_0040, 9))).toEqual([]));
    expect(nothing).toEqual([]);
    system.disable(0);
    close(system);
  });

  test('R13: no IOMMU package: the physical address', () => {
    const system = build({ plugins: WITHOUT_SMMU });
    system.enable(0, NR_VECTORS);
    expect(system.devices[0].msiTranslation).toBeUndefined();
    expect(system.messages(0)).toEqual(physical);
    expectAllArrive(system, 0);
    close(system);
  });
});

describe('R11, R12: unmanaged domains', () => {
  const WINDOW = { base: 0x4000_0000, sizeBytes: 0x2000 };
  let system: SmmuSystem;

  beforeEach(() => {
    system = build();
  });

  afterEach(() => close(system));

  test('R11: a user window: the doorbell is at its beginning and goes with its last user', () => {
    const { iommus } = system.host;
    const [first, second] = system.devices.map(({ iommuGroup }) => iommuGroup!);
    const domain = iommus.allocDomain(first, 'unmanaged', { userWindow: true });
    iommus.attachGroup(domain, first);
    iommus.attachGroup(domain, second);
    expect(() => system.enable(0, 1)).toThrow('(EINVAL)');
    domain.userWindow!.provide(WINDOW.base as Iova, WINDOW.sizeBytes);
    // Beside the window, so that its tables stay when the doorbell goes.
    const page = system.board.bus.memory.alloc(0x1000);
    domain.map((WINDOW.base + WINDOW.sizeBytes) as Iova, page.base, 0x1000, 3);
    system.enable(0, NR_VECTORS);
    system.enable(1, 3);
    expect(system.messages(0)).toEqual(events().map((event) => [0x4000_0040, event]));
    expect(system.messages(1)).toEqual(events(3).map((event) => [0x4000_0040, event]));
    expect(domain.msiBindings!.bindings).toEqual([{ iova: 0x4000_0000, pa: 0x809_0000, users: NR_VECTORS + 3 }]);
    for (const which of [0, 1]) expectAllArrive(system, which);
    expect(system.stopped(() => system.store(0, 0x809_0040, 0))).toMatchObject([untranslated(FIRST, 0x809_0040)]);
    system.disable(0);
    expectAllArrive(system, 1);
    system.disable(1);
    expect(domain.msiBindings!.bindings).toEqual([]);
    expect(domain.iovaToPhys(0x4000_0040 as Iova)).toBeUndefined();
    const taken = system.taken(() =>
      expect(system.stopped(() => system.store(1, 0x4000_0040, 0))).toMatchObject([untranslated(SECOND, 0x4000_0040)]),
    );
    expect(taken).toEqual([]);
    expect(system.store(1, WINDOW.base + WINDOW.sizeBytes, 1)).toBe(true);
    for (const group of [first, second]) iommus.detachGroup(domain, group);
    domain.free();
    system.board.bus.memory.free(page);
  });

  test('R11, R12: SW_MSI: the doorbell is at 0x8000000 and stays until the domain is freed', () => {
    const { iommus } = system.host;
    const group = system.devices[0].iommuGroup!;
    const domain = iommus.allocDomain(group, 'unmanaged');
    iommus.attachGroup(domain, group);
    system.enable(0, NR_VECTORS);
    expect(system.messages(0)).toEqual(events().map((event) => [0x800_0040, event]));
    expectAllArrive(system, 0);
    expect(system.stopped(() => system.store(0, 0xffff_f040, 0))).toMatchObject([untranslated(FIRST, 0xffff_f040)]);
    system.disable(0);
    expect(domain.msiBindings!.bindings).toEqual([{ iova: 0x800_0000, pa: 0x809_0000, users: 0 }]);
    expect(domain.iovaToPhys(0x800_0040 as Iova)).toBe(0x809_0040);
    iommus.detachGroup(domain, group);
    domain.free();
    expect(system.stopped(() => system.store(0, 0x800_0040, 0))).toMatchObject([untranslated(FIRST, 0x800_0040)]);
  });
});

describe('lazy invalidation', () => {
  test('a page that was unmapped is reached until the flush, the doorbell before and after', () => {
    const system = build({ iommu: { strict: false } });
    system.enable(0, NR_VECTORS);
    expect(system.messages(0)[0]).toEqual([0xffff_f040, 0]);
    const domain = system.dmaDomain(0);
    const page = system.board.bus.memory.alloc(0x1000);
    const iova = domain.dmaMap(page.base, 0x1000, 3);
    expect(iova).toBe(0xffff_e000);
    expect(system.store(0, iova, 1)).toBe(true);
    domain.dmaUnmap(iova, 0x1000);
    expect(system.store(0, iova, 2)).toBe(true);
    expect(page.words[0]).toBe(2);
    domain.flushQueue!.flush();
    expect(system.stopped(() => expect(system.store(0, iova, 3)).toBe(false))).toMatchObject([
      untranslated(FIRST, iova),
    ]);
    expect(page.words[0]).toBe(2);
    expectAllArrive(system, 0);
    expect(system.stopped(() => system.store(0, 0x809_0040, 0))).toMatchObject([untranslated(FIRST, 0x809_0040)]);
    system.disable(0);
    expect(domain.msiBindings.bindings).toEqual([{ iova: 0xffff_f000, pa: 0x809_0000, users: 0 }]);
    system.board.bus.memory.free(page);
    close(system);
  });
});
