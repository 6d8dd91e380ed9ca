// SPDX-License-Identifier: Apache-2.0
// A second group or domain: R20, each step failing in turn.

import { iova } from '@irqkit/core';
import { FakeIommu, SW_MSI } from '../support/fake-iommu.js';
import { Rig, groupOf } from '../support/rig.js';
import { errnoOf, openedContainer } from '../support/session.js';

const KIB4 = 0x1000;
const WINDOW = { iova: 0x7000_0000, sizeBytes: 0x4000 };

/** A container with three mappings and a window behind one IOMMU, and a group behind another. */
function beforeJoining(second: FakeIommu) {
  const rig = new Rig({ iommus: [new FakeIommu(), second] });
  const session = openedContainer(rig, { policy: 'user' });
  for (const at of [0x1000_0000, 0x2000_0000, 0x3000_0000]) session.map(at, 4 * KIB4);
  session.iommu.provideMsiWindow(WINDOW);
  const other = rig.bound('other', { iommu: second });
  const group = rig.system.openGroup(session.process, groupOf(other).id);
  return { ...session, rig, other, group, second };
}

describe('a second domain', () => {
  test('R20: it gets every mapping and the window', () => {
    const { rig, other, group, container, process } = beforeJoining(new FakeIommu({ path: '/iommu@2' }));
    group.setContainer(container);
    const [ours, theirs] = [rig.iommu.domainOf(rig.opened[0].device), rig.iommus[1].domainOf(other)];
    for (const at of [0x1000_0000, 0x2000_3000, 0x3000_2008]) expect(theirs.lookUp(at)).toEqual(ours.lookUp(at));
    group.getDeviceFd('other', process);
    rig.opened[1].enableMsi();
    expect(theirs.lookUp(WINDOW.iova + 0x40)?.pa).toBe(0x809_0040);
  });

  test('R20: what is mapped and unmapped later is so in both', () => {
    const { rig, other, group, container, process, iommu, map } = beforeJoining(new FakeIommu({ path: '/iommu@2' }));
    group.setContainer(container);
    map(0x5000_0000, KIB4);
    const domains = [rig.iommu.domainOf(rig.opened[0].device), rig.iommus[1].domainOf(other)];
    expect(domains.map((domain) => domain.lookUp(0x5000_0000) !== undefined)).toEqual([true, true]);
    iommu.unmapDma({ iova: 0x5000_0000, sizeBytes: KIB4 }, process);
    expect(domains.map((domain) => domain.lookUp(0x5000_0000))).toEqual([undefined, undefined]);
  });

  test('R20: whichever step of joining fails, all is as it was', () => {
    const second = new FakeIommu({ path: '/iommu@2' });
    const { rig, group, container, iommu } = beforeJoining(second);
    const before = [rig.state, iommu.info];
    let steps = 0;
    for (; ; steps++) {
      second.failAfter(steps);
      const code = errnoOf(() => group.setContainer(container));
      const didFail = second.failed;
      second.neverFail();
      if (!didFail) break;
      expect(code).toBe('ENOMEM');
      expect([rig.state, iommu.info]).toEqual(before);
      expect(group.status.containerSet).toBe(false);
    }
    // two domains, two attachments, three mappings
    expect(steps).toBe(7);
    expect(group.container).toBe(container);
  });

  test('R20: a domain that fails to map is undone in the one that did', () => {
    const second = new FakeIommu({ path: '/iommu@2' });
    const { rig, group, container, map, iommu, process } = beforeJoining(second);
    group.setContainer(container);
    const vaddr = process.mm.mmap({ sizeBytes: KIB4 });
    const before = [rig.state, process.mm.lockedPages];
    second.failAfter(0);
    const request = { iova: 0x5000_0000, sizeBytes: KIB4, vaddr, read: true };
    expect(errnoOf(() => iommu.mapDma(request, process))).toBe('ENOMEM');
    expect([rig.state, process.mm.lockedPages]).toEqual(before);
    second.neverFail();
    map(0x5000_0000, KIB4);
    expect(iommu.nrMappings).toBe(4);
  });

  test.each([
    ['a smaller aperture', { aperture: { first: iova(0), last: iova(0x2fff_ffff) } }],
    ['a region where a mapping is', { reserved: [{ ...SW_MSI, base: iova(0x2000_2000), type: 'reserved' as const }] }],
    ['a region where the window is', { reserved: [{ ...SW_MSI, base: iova(0x7000_1000), type: 'reserved' as const }] }],
    ['no page size in common', { pageSizes: [0x1_0000] }],
  ])('R20: an IOMMU with %s is an EINVAL', (_what, facts) => {
    const { rig, group, container, iommu } = beforeJoining(new FakeIommu({ path: '/iommu@2', ...facts }));
    const before = [rig.state, iommu.info];
    expect(errnoOf(() => group.setContainer(container))).toBe('EINVAL');
    expect([rig.state, iommu.info]).toEqual(before);
  });

  test('R20: what both IOMMUs have is offered, and the rest again when one leaves', () => {
    const facts = { pageSizes: [0x1000, 0x20_0000], aperture: { first: iova(0), last: iova(2 ** 40 - 1) } };
    const { group, container, iommu } = beforeJoining(new FakeIommu({ path: '/iommu@2', ...facts }));
    const alone = iommu.info;
    group.setContainer(container);
    expect(iommu.info.pageSizes).toEqual([0x1000, 0x20_0000]);
    expect(iommu.info.iovaRanges).toEqual([{ first: 0, last: 2 ** 40 - 1 }]);
    group.unsetContainer();
    expect(iommu.info).toEqual(alone);
  });

  test('R20: no group can come while mappings have no address', () => {
    const rig = new Rig();
    const { iommu, process, map, container } = openedContainer(rig);
    const vaddr = map(0x1000_0000, KIB4);
    iommu.invalidateVaddr(undefined, process);
    const group = rig.system.openGroup(process, groupOf(rig.bound('other')).id);
    expect(errnoOf(() => group.setContainer(container))).toBe('EBUSY');
    iommu.updateVaddr({ iova: 0x1000_0000, sizeBytes: KIB4, vaddr }, process);
    group.setContainer(container);
    expect(container.groups).toHaveLength(2);
  });
});

describe('a second group behind one IOMMU', () => {
  test('R20: it shares the domain, and leaves it to the other', () => {
    const rig = new Rig();
    const { groups, process, iommu, map, deviceFds } = openedContainer(rig, { devices: ['a', 'b'] });
    map(0x1000_0000, KIB4);
    const [a, b] = rig.opened.map(({ device }) => device);
    expect(rig.iommu.domainOf(a)).toBe(rig.iommu.domainOf(b));
    process.close(deviceFds[0]);
    groups[0].unsetContainer();
    expect(iommu.nrMappings).toBe(1);
    expect(rig.iommu.domainOf(b).lookUp(0x1000_0000)).toBeDefined();
    expect(rig.iommu.domainOf(a).type).toBe('dma');
  });

  test('R20: whichever step of SET_IOMMU fails, no group is attached', () => {
    const rig = new Rig();
    const process = rig.process();
    const container = rig.system.openContainer(process);
    for (const name of ['a', 'b']) rig.system.openGroup(process, groupOf(rig.bound(name)).id).setContainer(container);
    const before = rig.state;
    let steps = 0;
    for (; ; steps++) {
      rig.iommu.failAfter(steps);
      const code = errnoOf(() => container.setIommu(3));
      rig.iommu.neverFail();
      if (code === undefined) break;
      expect(code).toBe('ENOMEM');
      expect(rig.state).toEqual(before);
    }
    // one domain, one attachment; the second group then tries a domain of its own
    expect(steps).toBe(2);
    expect(container.hasIommu).toBe(true);
  });
});
