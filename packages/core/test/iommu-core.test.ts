// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { IOMMUS, LinuxError, createHost, definePlugin, inject, injectable, iova, physAddr } from '@irqkit/core';
import type { Device, IommuCore, IommuGroup, MsiDesc } from '@irqkit/core';
import { runs, seed } from '@irqkit-test/env';
import { FakeIommu, coreWith } from './fake-iommu.js';
import { StubCpus, stubBus, stubFirmware, stubNode } from './stub-machine.js';
import { toyDevice } from './toy-controllers.js';

const names = (group: IommuGroup | undefined) => group?.devices.map(({ name }) => name);
const idsOf = (core: IommuCore) => core.groups.map(({ id }) => id);

describe('which IOMMU a device is behind', () => {
  it('none without ids, and none where nothing drives the node they lead to: untranslated, without a group', () => {
    const iommu = new FakeIommu();
    const { core } = coreWith([]);
    const devices = [toyDevice({ name: 'a' }), toyDevice({ name: 'b', iommuIds: [] }), iommu.device('c')];
    for (const device of devices) core.dmaConfigure(device);
    expect(devices.map(({ iommuGroup, msiTranslation }) => [iommuGroup, msiTranslation])).toEqual(
      devices.map(() => [undefined, undefined]),
    );
    expect(core.groups).toEqual([]);
    expect(core.resvRegions(devices[2])).toEqual([]);
    expect(core.dmaDomainOf(devices[2])).toBeUndefined();
    for (const device of devices) core.dmaUnconfigure(device);
  });

  it('one that may still come defers', () => {
    const iommu = new FakeIommu();
    const { core } = coreWith([], { mayCome: (node) => node === iommu.node });
    const device = iommu.device('a');
    expect(() => core.dmaConfigure(device)).toThrow('/iommu@9000: no IOMMU yet (EPROBE_DEFER)');
    core.register(iommu.node, iommu);
    core.dmaConfigure(device);
    expect(names(device.iommuGroup)).toEqual(['a']);
  });

  it('not two at once', () => {
    const [one, two] = [new FakeIommu(), new FakeIommu({ path: '/iommu@a000' })];
    const { core } = coreWith([one, two]);
    const iommuIds = [one, two].map(({ node }) => ({ controller: node, id: 3 }));
    expect(() => core.dmaConfigure(toyDevice({ name: 'a', iommuIds }))).toThrow(
      'a: behind /iommu@9000 and /iommu@a000 at once (EINVAL)',
    );
  });

  it('one per node', () => {
    const iommu = new FakeIommu();
    const { core } = coreWith([iommu]);
    expect(() => core.register(iommu.node, iommu)).toThrow('/iommu@9000: there is an IOMMU already (EEXIST)');
  });

  it('a second dmaConfigure does nothing, nor a second dmaUnconfigure', () => {
    const iommu = new FakeIommu();
    const { core } = coreWith([iommu]);
    const device = iommu.device('a');
    core.dmaConfigure(device);
    core.dmaConfigure(device);
    expect(iommu.journal).toEqual(['probe a', 'alloc dma', 'attach a dma']);
    core.dmaUnconfigure(device);
    core.dmaUnconfigure(device);
    expect(iommu.journal.slice(3)).toEqual(['release a']);
    expect([device.iommuGroup, device.msiTranslation]).toEqual([undefined, undefined]);
  });

  it('MSIs must be off before a device is taken in or let go', () => {
    const iommu = new FakeIommu();
    const { core } = coreWith([iommu]);
    const device = iommu.device('a');
    const msg = { address: physAddr(0), data: 0 };
    const desc: MsiDesc = { device, index: 0, nrVectors: 1, virq: 1, msg, hardware: { write: () => undefined } };
    device.msiDescs.push(desc);
    expect(() => core.dmaConfigure(device)).toThrow('a: its MSIs are enabled (EBUSY)');
    expect(iommu.journal).toEqual([]);
    device.msiDescs.length = 0;
    core.dmaConfigure(device);
    device.msiDescs.push(desc);
    expect(() => core.dmaUnconfigure(device)).toThrow('a: its MSIs are enabled (EBUSY)');
    expect(names(device.iommuGroup)).toEqual(['a']);
  });
});

describe('groups', () => {
  it('are numbered from 0 as devices come; a number is used again once its group is gone', () => {
    const iommu = new FakeIommu();
    const { core } = coreWith([iommu]);
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => iommu.device(name));
    for (const device of [a, b, c]) core.dmaConfigure(device);
    expect([a, b, c].map(({ iommuGroup }) => iommuGroup?.id)).toEqual([0, 1, 2]);
    core.dmaUnconfigure(b);
    expect(idsOf(core)).toEqual([0, 2]);
    core.dmaConfigure(d);
    expect(d.iommuGroup?.id).toBe(1);
    expect(idsOf(core)).toEqual([0, 1, 2]);
  });

  it("are the hardware's first, then the bus's", () => {
    const first: { device?: Device } = {};
    const iommu = new FakeIommu({
      deviceGroup: ({ name }) => (name === 'by-stream' ? first.device?.iommuGroup : undefined),
    });
    const { core } = coreWith([iommu]);
    const [a, b] = [iommu.device('a'), iommu.device('b')];
    first.device = a;
    core.dmaConfigure(a);
    core.dmaConfigure(b);
    core.dmaConfigure(iommu.device('by-stream', { busGroup: () => b.iommuGroup }));
    core.dmaConfigure(iommu.device('by-bus', { busGroup: () => b.iommuGroup }));
    expect(core.groups.map(names)).toEqual([
      ['a', 'by-stream'],
      ['b', 'by-bus'],
    ]);
  });

  it('share one domain, which goes with the last device', () => {
    const iommu = new FakeIommu();
    const { core } = coreWith([iommu]);
    const a = iommu.device('a');
    const b = iommu.device('b', { busGroup: () => a.iommuGroup });
    core.dmaConfigure(a);
    core.dmaConfigure(b);
    expect(iommu.domains.size).toBe(1);
    expect(core.dmaDomainOf(b)).toBe(core.dmaDomainOf(a));
    const group = a.iommuGroup!;
    core.dmaUnconfigure(a);
    expect(names(group)).toEqual(['b']);
    expect(iommu.domains.size).toBe(1);
    core.dmaUnconfigure(b);
    expect(iommu.state).toEqual({ devices: [], attached: [], domains: [] });
    expect(() => core.domainOf(group)).toThrow('iommu group 0 is gone (ENODEV)');
  });

  it('are behind one IOMMU', () => {
    const [one, two] = [new FakeIommu(), new FakeIommu({ path: '/iommu@a000' })];
    const { core } = coreWith([one, two]);
    const a = one.device('a');
    core.dmaConfigure(a);
    expect(() => core.dmaConfigure(two.device('b', { busGroup: () => a.iommuGroup }))).toThrow(
      'b: behind /iommu@a000, its group 0 behind /iommu@9000 (EINVAL)',
    );
    expect(two.state.devices).toEqual([]);
  });
});

describe('R7: the k-th step of dmaConfigure fails', () => {
  const regions = [
    { base: iova(0x8000_0000), sizeBytes: 0x1000, type: 'direct', prot: 3 },
    { base: iova(0x9000_0000), sizeBytes: 0x1000, type: 'direct-relaxable', prot: 3 },
  ] as const;
  const setUp = () => {
    const iommu = new FakeIommu({ resvRegions: ({ name }) => (name === 'b' ? regions : []) });
    const { core } = coreWith([iommu]);
    return { iommu, core };
  };
  // The device itself, its domain, two regions, the attachment.
  const ALONE = 5;
  const JOINING = 4;

  it.each(Array.from({ length: ALONE }, (_, k) => k))('alone, k = %i', (k) => {
    const { iommu, core } = setUp();
    const device = iommu.device('b');
    iommu.failNext(k);
    expect(() => core.dmaConfigure(device)).toThrow('ENOMEM');
    expect(iommu.state).toEqual({ devices: [], attached: [], domains: [] });
    expect([core.groups, device.iommuGroup, device.msiTranslation]).toEqual([[], undefined, undefined]);
    core.dmaConfigure(device);
    expect(device.iommuGroup?.id).toBe(0);
  });

  it.each(Array.from({ length: JOINING }, (_, k) => k))('as second of a group, k = %i', (k) => {
    const { iommu, core } = setUp();
    const first = iommu.device('a');
    core.dmaConfigure(first);
    const before = iommu.state;
    const device = iommu.device('b', { busGroup: () => first.iommuGroup });
    iommu.failNext(k);
    expect(() => core.dmaConfigure(device)).toThrow('ENOMEM');
    expect(iommu.state).toEqual(before);
    expect(names(first.iommuGroup)).toEqual(['a']);
    core.dmaConfigure(device);
    expect(names(first.iommuGroup)).toEqual(['a', 'b']);
  });

  it('there is no further step', () => {
    const { iommu, core } = setUp();
    const first = iommu.device('b');
    core.dmaConfigure(first);
    expect(iommu.journal).toHaveLength(ALONE);
    const other = setUp();
    const a = other.iommu.device('a');
    other.core.dmaConfigure(a);
    const before = other.iommu.journal.length;
    other.core.dmaConfigure(other.iommu.device('b', { busGroup: () => a.iommuGroup }));
    expect(other.iommu.journal.length - before).toBe(JOINING);
  });
});

describe('removing an IOMMU', () => {
  it('R22: releases the devices that are still behind it, last configured first, also attached ones', () => {
    const [one, two] = [new FakeIommu(), new FakeIommu({ path: '/iommu@a000' })];
    const { core, removals } = coreWith([one, two]);
    const [a, b, c] = [one.device('a'), one.device('b'), two.device('c')];
    for (const device of [a, b, c]) core.dmaConfigure(device);
    const domain = core.allocDomain(a.iommuGroup!, 'unmanaged');
    core.attachGroup(domain, a.iommuGroup!);
    removals[0]();
    expect(one.journal.slice(-2)).toEqual(['release b', 'release a']);
    expect([a.iommuGroup, b.iommuGroup, c.iommuGroup?.id]).toEqual([undefined, undefined, 2]);
    domain.free();
    expect(one.state).toEqual({ devices: [], attached: [], domains: [] });
    core.dmaConfigure(a);
    expect(a.iommuGroup).toBeUndefined();
  });

  it('any order of configuring, unconfiguring and failing leaves nothing behind', () => {
    const order = fc.array(fc.record({ at: fc.nat(5), configure: fc.boolean(), failAt: fc.nat(8) }), { maxLength: 40 });
    fc.assert(
      fc.property(order, (steps) => {
        const iommu = new FakeIommu();
        const { core, removals } = coreWith([iommu]);
        const devices: Device[] = [];
        for (let i = 0; i < 6; i++)
          devices.push(iommu.device(`d${i}`, { busGroup: () => devices[i - (i % 3)].iommuGroup }));
        for (const { at, configure, failAt } of steps) {
          iommu.failNext(failAt);
          try {
            if (configure) core.dmaConfigure(devices[at]);
            else core.dmaUnconfigure(devices[at]);
          } catch (error) {
            if (!LinuxError.is(error, 'ENOMEM')) throw error;
          }
          iommu.failAt = Infinity;
          const grouped = devices.filter(({ iommuGroup }) => iommuGroup);
          expect(new Set(iommu.attached.keys())).toEqual(new Set(grouped));
          expect(core.groups.flatMap((group) => group.devices)).toHaveLength(grouped.length);
          expect(iommu.domains.size).toBe(core.groups.length);
        }
        removals[0]();
        expect(iommu.state).toEqual({ devices: [], attached: [], domains: [] });
      }),
      { seed, numRuns: runs(100, 10_000) },
    );
  });
});

describe('in a host', () => {
  const iommu = new FakeIommu();

  @injectable()
  class Bus {
    constructor(@inject(IOMMUS) iommus: IommuCore) {
      iommus.awaitIommu(iommu.node);
      iommus.dmaConfigure(device);
    }
  }
  const device = iommu.device('a');
  const node = stubNode({ path: '/bus', compatible: ['test,bus'] });
  Object.assign(iommu.node, { compatible: ['test,iommu'] });
  const plugin = definePlugin({
    name: 'test',
    coreApi: 1,
    irqChips: [{ compatible: ['test,bus'], useClass: Bus }],
    iommus: [
      {
        compatible: ['test,iommu'],
        useFactory: ({ iommus, devres, node: own }) => {
          devres.add(iommus.register(own, iommu));
          return {};
        },
      },
    ],
  });

  it.each([
    [undefined, 'dma'],
    [{ passthrough: true }, 'identity'],
  ])('settings %j: a bus waits for its IOMMU, and teardown releases everything', (settings, type) => {
    const host = createHost({
      firmware: stubFirmware(node, iommu.node),
      plugins: [plugin],
      bus: stubBus(new StubCpus(1)),
      iommu: settings,
    });
    expect(host.drivers.map((driver) => driver.node.path)).toEqual(['/iommu@9000', '/bus']);
    expect(host.iommus.groups.map((group) => [group.id, host.iommus.domainOf(group).type])).toEqual([[0, type]]);
    host.teardown();
    expect(iommu.state).toEqual({ devices: [], attached: [], domains: [] });
    expect(device.iommuGroup).toBeUndefined();
  });
});
