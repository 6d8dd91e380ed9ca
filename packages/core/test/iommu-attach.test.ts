// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { LinuxError, iova, physAddr } from '@irqkit/core';
import type { Device, UserDomain } from '@irqkit/core';
import { runs, seed } from '@irqkit-test/env';
import { FakeIommu, coreWith } from './fake-iommu.js';

/** One group of `nr` devices. */
const setUp = (nr = 3) => {
  const iommu = new FakeIommu();
  const { core } = coreWith([iommu]);
  const devices: Device[] = [];
  for (let i = 0; i < nr; i++) devices.push(iommu.device(`d${i}`, { busGroup: () => devices[0].iommuGroup }));
  for (const device of devices) core.dmaConfigure(device);
  return { iommu, core, devices, group: devices[0].iommuGroup! };
};

const enableMsi = (device: Device): void =>
  void device.msiDescs.push({
    device,
    index: 0,
    nrVectors: 1,
    virq: 1,
    msg: { address: physAddr(0), data: 0 },
    hardware: { write: () => undefined },
  });

const typesOf = ({ attached }: FakeIommu) => [...attached.values()].map(({ type }) => type);

describe('attaching a group', () => {
  it.each(['unmanaged', 'identity', 'blocked'] as const)('moves every device to a %s domain, and back', (type) => {
    const { iommu, core, group, devices } = setUp();
    const domain = core.allocDomain(group, type);
    expect([domain.type, domain.iommu]).toEqual([type, iommu.node]);
    core.attachGroup(domain, group);
    expect(typesOf(iommu)).toEqual([type, type, type]);
    expect(core.domainOf(group)).toBe(domain);
    expect(core.defaultDomainOf(group).type).toBe('dma');
    expect(core.dmaDomainOf(devices[0])).toBeUndefined();
    core.detachGroup(domain, group);
    expect(typesOf(iommu)).toEqual(['dma', 'dma', 'dma']);
    expect(core.dmaDomainOf(devices[0])).toBe(core.defaultDomainOf(group));
    domain.free();
    expect(iommu.domains.size).toBe(1);
  });

  it('takes the translation of MSIs along: to the domain, to none, and back', () => {
    const { core, group, devices } = setUp();
    const own = devices.map(({ msiTranslation }) => msiTranslation);
    const unmanaged = core.allocDomain(group, 'unmanaged');
    const identity = core.allocDomain(group, 'identity');
    expect(own[0]).toBe(core.dmaDomainOf(devices[0])?.msiBindings);
    core.attachGroup(unmanaged, group);
    expect(devices.map(({ msiTranslation }) => msiTranslation)).toEqual(devices.map(() => unmanaged.msiBindings));
    expect(unmanaged.msiBindings).toBeDefined();
    core.detachGroup(unmanaged, group);
    core.attachGroup(identity, group);
    expect(devices.map(({ msiTranslation }) => msiTranslation)).toEqual(devices.map(() => undefined));
    core.detachGroup(identity, group);
    expect(devices.map(({ msiTranslation }) => msiTranslation)).toEqual(own);
  });

  it('is refused while it is attached, also to the same domain', () => {
    const { core, group } = setUp();
    const [one, two] = [core.allocDomain(group, 'unmanaged'), core.allocDomain(group, 'blocked')];
    core.attachGroup(one, group);
    for (const domain of [one, two])
      expect(() => core.attachGroup(domain, group)).toThrow('/iommu@9000: group 0 is attached already (EBUSY)');
    expect(() => core.detachGroup(two, group)).toThrow('/iommu@9000: group 0 is not attached to that domain (EINVAL)');
    expect(core.domainOf(group)).toBe(one);
  });

  it('is refused while a device has MSIs enabled, and so is detaching', () => {
    const { iommu, core, group, devices } = setUp();
    const domain = core.allocDomain(group, 'unmanaged');
    enableMsi(devices[2]);
    expect(() => core.attachGroup(domain, group)).toThrow('d2: its MSIs are enabled (EBUSY)');
    devices[2].msiDescs.length = 0;
    core.attachGroup(domain, group);
    enableMsi(devices[1]);
    expect(() => core.detachGroup(domain, group)).toThrow('d1: its MSIs are enabled (EBUSY)');
    expect(typesOf(iommu)).toEqual(['unmanaged', 'unmanaged', 'unmanaged']);
  });

  it('is refused for a domain of another IOMMU, and for a group that is gone', () => {
    const [one, two] = [new FakeIommu(), new FakeIommu({ path: '/iommu@a000' })];
    const { core } = coreWith([one, two]);
    const [a, b] = [one.device('a'), two.device('b')];
    for (const device of [a, b]) core.dmaConfigure(device);
    const group = a.iommuGroup!;
    const domain = core.allocDomain(group, 'unmanaged');
    expect(() => core.attachGroup(domain, b.iommuGroup!)).toThrow(
      '/iommu@a000: group 1 in a domain of /iommu@9000 (EINVAL)',
    );
    core.dmaUnconfigure(a);
    for (const call of [() => core.attachGroup(domain, group), () => core.allocDomain(group, 'blocked')])
      expect(call).toThrow('iommu group 0 is gone (ENODEV)');
  });

  it('a domain is not freed under a group, and takes several', () => {
    const iommu = new FakeIommu();
    const { core } = coreWith([iommu]);
    const devices = [iommu.device('a'), iommu.device('b')];
    for (const device of devices) core.dmaConfigure(device);
    const [one, two] = devices.map(({ iommuGroup }) => iommuGroup!);
    const domain = core.allocDomain(one, 'unmanaged');
    core.attachGroup(domain, one);
    core.attachGroup(domain, two);
    core.detachGroup(domain, one);
    expect(() => domain.free()).toThrow('/iommu@9000: iommu group 1 is attached to the domain (EBUSY)');
    core.dmaUnconfigure(devices[1]);
    domain.free();
    expect([...iommu.domains].map(({ type }) => type)).toEqual(['dma']);
  });

  it('a device that joins a group goes where the others are; its direct regions wait in the default domain', () => {
    const iommu = new FakeIommu({
      resvRegions: ({ name }) =>
        name === 'b' ? [{ base: iova(0x8000_0000), sizeBytes: 0x1000, type: 'direct', prot: 3 }] : [],
    });
    const { core } = coreWith([iommu]);
    const a = iommu.device('a');
    core.dmaConfigure(a);
    const group = a.iommuGroup!;
    const domain = core.allocDomain(group, 'unmanaged');
    core.attachGroup(domain, group);
    const b = iommu.device('b', { busGroup: () => group });
    core.dmaConfigure(b);
    expect(typesOf(iommu)).toEqual(['unmanaged', 'unmanaged']);
    expect(b.msiTranslation).toBe(domain.msiBindings);
    expect(core.defaultDomainOf(group).iovaToPhys(iova(0x8000_0010))).toBe(0x8000_0010);
    expect(domain.iovaToPhys(iova(0x8000_0010))).toBeUndefined();
  });

  it.each([0, 1, 2])('R7: device %i fails to move: all stay, either way', (k) => {
    const { iommu, core, group, devices } = setUp();
    const domain = core.allocDomain(group, 'unmanaged');
    const inDefault = { ...iommu.state, msi: devices.map(({ msiTranslation }) => msiTranslation) };
    iommu.failNext(k);
    expect(() => core.attachGroup(domain, group)).toThrow('ENOMEM');
    expect({ ...iommu.state, msi: devices.map(({ msiTranslation }) => msiTranslation) }).toEqual(inDefault);
    expect(core.domainOf(group)).toBe(core.defaultDomainOf(group));
    domain.free();

    const again = core.allocDomain(group, 'unmanaged');
    core.attachGroup(again, group);
    const attached = iommu.state;
    iommu.failNext(k);
    expect(() => core.detachGroup(again, group)).toThrow('ENOMEM');
    expect(iommu.state).toEqual(attached);
    core.detachGroup(again, group);
    again.free();
  });

  it('allocating a domain that the driver cannot leaves nothing', () => {
    const { iommu, core, group } = setUp(1);
    const before = iommu.state;
    iommu.failNext(0);
    expect(() => core.allocDomain(group, 'unmanaged')).toThrow('ENOMEM');
    expect(iommu.state).toEqual(before);
  });

  it('any order of attaching, detaching, coming and going keeps the driver and the framework of one mind', () => {
    const step = fc.record({
      what: fc.constantFrom('attach', 'detach', 'come', 'go', 'msi'),
      group: fc.nat(1),
      device: fc.nat(3),
      domain: fc.nat(1),
      failAt: fc.nat(6),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const iommu = new FakeIommu();
        const { core } = coreWith([iommu]);
        const devices: Device[] = [];
        for (let i = 0; i < 4; i++) devices.push(iommu.device(`d${i}`, { busGroup: () => devices[i ^ 1].iommuGroup }));
        core.dmaConfigure(devices[0]);
        const domains: UserDomain[] = [0, 1].map(() => core.allocDomain(devices[0].iommuGroup!, 'unmanaged'));
        for (const { what, group: pair, device: at, domain: which, failAt } of steps) {
          const group = devices[pair * 2].iommuGroup ?? devices[pair * 2 + 1].iommuGroup;
          const device = devices[at];
          iommu.failNext(failAt);
          try {
            if (what === 'come') core.dmaConfigure(device);
            else if (what === 'go') core.dmaUnconfigure(device);
            else if (what === 'msi' && device.iommuGroup) {
              if (device.msiDescs.length > 0) device.msiDescs.length = 0;
              else enableMsi(device);
            } else if (group && what === 'attach') core.attachGroup(domains[which], group);
            else if (group && what === 'detach') core.detachGroup(domains[which], group);
          } catch (error) {
            if (!LinuxError.is(error)) throw error;
            expect(['ENOMEM', 'EBUSY', 'EINVAL']).toContain(error.code);
          }
          iommu.failAt = Infinity;
          for (const one of core.groups) {
            const type = core.domainOf(one).type;
            expect(one.devices.map((member) => iommu.attached.get(member)?.type)).toEqual(one.devices.map(() => type));
          }
        }
        for (const device of devices) device.msiDescs.length = 0;
        for (const device of devices) core.dmaUnconfigure(device);
        for (const domain of domains) domain.free();
        expect(iommu.state).toEqual({ devices: [], attached: [], domains: [] });
      }),
      { seed, numRuns: runs(100, 10_000) },
    );
  });
});

describe('R12 R15 R16: where doorbells go in an unmanaged domain', () => {
  const doorbell = { globalDoorbell: physAddr(0x809_0040), sizeBytes: 4, prot: 0, irqRemapping: true } as const;
  const bound = (domain: UserDomain) => {
    domain.msiBindings?.bind(doorbell);
    return domain.msiBindings?.iovaOf(doorbell.globalDoorbell);
  };

  it('at 0x8000000 by default, and where the group reports its window, and where the caller says', () => {
    const { core, group } = setUp(1);
    expect(bound(core.allocDomain(group, 'unmanaged'))).toBe(0x800_0040);
    expect(bound(core.allocDomain(group, 'unmanaged', { swMsi: iova(0x4000_0000) }))).toBe(0x4000_0040);
    const reporting = new FakeIommu({
      resvRegions: () => [{ base: iova(0x1000_0000), sizeBytes: 0x10_0000, type: 'sw-msi', prot: 0 }],
    });
    const other = coreWith([reporting]).core;
    const device = reporting.device('a');
    other.dmaConfigure(device);
    expect(bound(other.allocDomain(device.iommuGroup!, 'unmanaged'))).toBe(0x1000_0040);
  });

  it('where user space says, once it has said', () => {
    const { core, group } = setUp(1);
    const domain = core.allocDomain(group, 'unmanaged', { userWindow: true });
    expect(() => bound(domain)).toThrow('EINVAL');
    domain.userWindow?.provide(iova(0x20_0000), 0x1000);
    expect(bound(domain)).toBe(0x20_0040);
    expect(core.allocDomain(group, 'unmanaged').userWindow).toBeUndefined();
  });

  it('R13: nowhere in identity and blocked domains, or where the IOMMU does not translate MSIs', () => {
    const { core, group } = setUp(1);
    expect(core.allocDomain(group, 'identity').msiBindings).toBeUndefined();
    expect(core.allocDomain(group, 'blocked', { userWindow: true }).userWindow).toBeUndefined();
    const iommu = new FakeIommu({ translatesMsi: false });
    const other = coreWith([iommu]).core;
    const device = iommu.device('a');
    other.dmaConfigure(device);
    const domain = other.allocDomain(device.iommuGroup!, 'unmanaged');
    other.attachGroup(domain, device.iommuGroup!);
    expect([domain.msiBindings, device.msiTranslation]).toEqual([undefined, undefined]);
  });
});

describe('claiming a group', () => {
  it('blocks its devices while no domain of the owner has them', () => {
    const { iommu, core, group } = setUp();
    const release = core.claimDmaOwner(group);
    expect(typesOf(iommu)).toEqual(['blocked', 'blocked', 'blocked']);
    const domain = core.allocDomain(group, 'unmanaged');
    core.attachGroup(domain, group);
    expect(typesOf(iommu)).toEqual(['unmanaged', 'unmanaged', 'unmanaged']);
    core.detachGroup(domain, group);
    expect(typesOf(iommu)).toEqual(['blocked', 'blocked', 'blocked']);
    domain.free();
    release();
    expect(typesOf(iommu)).toEqual(['dma', 'dma', 'dma']);
    expect(iommu.domains.size).toBe(1);
  });

  it('is an EBUSY while it is claimed or attached, or a device has MSIs enabled, with no domain left', () => {
    const { iommu, core, group, devices } = setUp();
    const claim = () => core.claimDmaOwner(group);
    const release = claim();
    expect(claim).toThrow(/claimed already \(EBUSY\)/);
    release();
    const domain = core.allocDomain(group, 'unmanaged');
    core.attachGroup(domain, group);
    expect(claim).toThrow(/\(EBUSY\)/);
    core.detachGroup(domain, group);
    domain.free();
    enableMsi(devices[1]);
    expect(claim).toThrow(/\(EBUSY\)/);
    expect(iommu.domains.size).toBe(1);
    expect(typesOf(iommu)).toEqual(['dma', 'dma', 'dma']);
  });

  it('undoes the steps before the one that fails, and gives back when asked again', () => {
    const { iommu, core, group } = setUp();
    const before = iommu.state;
    for (let step = 0; step < 4; step++) {
      iommu.failNext(step);
      expect(() => core.claimDmaOwner(group)).toThrow(/\(ENOMEM\)/);
      iommu.failAt = Infinity;
      expect(iommu.state).toEqual(before);
    }
    const release = core.claimDmaOwner(group);
    iommu.failNext(1);
    expect(release).toThrow(/\(ENOMEM\)/);
    iommu.failAt = Infinity;
    expect(typesOf(iommu)).toEqual(['blocked', 'blocked', 'blocked']);
    release();
    expect(iommu.state).toEqual(before);
  });

  it('lets a group go that is gone meanwhile', () => {
    const { iommu, core, group, devices } = setUp();
    const release = core.claimDmaOwner(group);
    for (const device of devices) core.dmaUnconfigure(device);
    release();
    expect(iommu.domains.size).toBe(0);
  });
});
