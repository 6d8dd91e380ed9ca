// SPDX-License-Identifier: Apache-2.0
import { DmaDomain, iova, physAddr } from '@irqkit/core';
import { FakeIommu, coreWith } from './fake-iommu.js';
import { toyDevice } from './toy-controllers.js';

describe('default domains', () => {
  const configured = (settings: Parameters<typeof coreWith>[1], iommu = new FakeIommu()) => {
    const set = coreWith([iommu], settings);
    const device = iommu.device('a');
    set.core.dmaConfigure(device);
    return { ...set, device, domain: set.core.defaultDomainOf(device.iommuGroup!) };
  };

  it('are DMA domains that invalidate strictly', () => {
    const { core, device, domain } = configured({});
    expect(domain).toBeInstanceOf(DmaDomain);
    expect(core.dmaDomainOf(device)).toBe(domain);
    expect(core.domainOf(device.iommuGroup!)).toBe(domain);
    expect((domain as DmaDomain).flushQueue).toBeUndefined();
  });

  it('lazy where the host is not strict', () => {
    const { domain } = configured({ settings: { strict: false } });
    expect((domain as DmaDomain).flushQueue).toBeDefined();
  });

  it('R13: identity with passthrough, without translation of MSIs', () => {
    const { core, device, domain } = configured({ settings: { passthrough: true } });
    expect([domain.type, device.msiTranslation, core.dmaDomainOf(device)]).toEqual(['identity', undefined, undefined]);
    expect(domain.iovaToPhys(iova(0x1234))).toBe(0x1234);
  });

  it('fall back to DMA, with a warning, where the IOMMU has no identity', () => {
    const { domain, warnings } = configured(
      { settings: { passthrough: true } },
      new FakeIommu({ withoutIdentity: true }),
    );
    expect(domain.type).toBe('dma');
    expect(warnings).toEqual([
      '/iommu@9000: falls back from identity to DMA domains: LinuxError: no identity domains (EINVAL)',
    ]);
  });

  it('R18: an IOMMU that isolates MSIs says so for its devices only', () => {
    const isolating = new FakeIommu({ isolatesMsi: true });
    const { core, device } = configured({}, isolating);
    expect(core.isolatesMsi(device)).toBe(true);
    expect(core.isolatesMsi(toyDevice({ name: 'b' }))).toBe(false);
    const plain = configured({});
    expect(plain.core.isolatesMsi(plain.device)).toBe(false);
  });
});

describe('what a default domain keeps for others', () => {
  const direct = { base: iova(0x8000_0000), sizeBytes: 0x3000, type: 'direct', prot: 3 } as const;

  it('direct regions are mapped one to one before the device is attached', () => {
    const iommu = new FakeIommu({ resvRegions: () => [direct] });
    const { core } = coreWith([iommu]);
    core.dmaConfigure(iommu.device('a'));
    expect(iommu.journal).toEqual(['probe a', 'alloc dma', 'map 80000000', 'attach a dma']);
    const [{ pages }] = iommu.domains;
    expect([...pages]).toEqual(
      [0, 1, 2].map((n) => [0x8000_0000 + n * 0x1000, { pa: 0x8000_0000 + n * 0x1000, prot: 3 }]),
    );
  });

  it('only what is not mapped already, in whole pages', () => {
    const wider = { ...direct, base: iova(0x7fff_f800), sizeBytes: 0x4900 };
    const iommu = new FakeIommu({ resvRegions: ({ name }) => (name === 'a' ? [direct] : [wider]) });
    const { core } = coreWith([iommu]);
    const a = iommu.device('a');
    core.dmaConfigure(a);
    core.dmaConfigure(iommu.device('b', { busGroup: () => a.iommuGroup }));
    expect(iommu.journal.slice(4)).toEqual(['probe b', 'map 7ffff000', 'map 80003000', 'attach b dma']);
    const [{ pages }] = iommu.domains;
    expect([...pages.keys()].sort((one, other) => one - other)).toEqual(
      [0, 1, 2, 3, 4, 5].map((n) => 0x7fff_f000 + n * 0x1000),
    );
  });

  it('an identity domain needs none', () => {
    const iommu = new FakeIommu({ resvRegions: () => [direct] });
    coreWith([iommu], { settings: { passthrough: true } }).core.dmaConfigure(iommu.device('a'));
    expect(iommu.journal).toEqual(['probe a', 'alloc identity', 'attach a identity']);
  });

  it('reserved regions and the windows of its bus are no IOVAs; the window for MSIs of others is', () => {
    const iommu = new FakeIommu({
      resvRegions: () => [
        { base: iova(0xffff_f000), sizeBytes: 0x1000, type: 'reserved', prot: 0 },
        { base: iova(0xffff_b000), sizeBytes: 0x1000, type: 'sw-msi', prot: 0 },
      ],
    });
    const { core } = coreWith([iommu]);
    const device = iommu.device('a', { untranslatedRanges: [{ first: iova(0xffff_d000), last: iova(0xffff_dfff) }] });
    core.dmaConfigure(device);
    const taken = [1, 2, 3, 4].map(() => core.dmaDomainOf(device)!.dmaMap(physAddr(0x4000_0000), 0x1000, 3));
    expect(taken).toEqual([0xffff_e000, 0xffff_c000, 0xffff_b000, 0xffff_a000]);
  });

  it('a region that others of the group have in use keeps a device out', () => {
    const iommu = new FakeIommu({
      resvRegions: ({ name }) =>
        name === 'b' ? [{ base: iova(0xffff_f000), sizeBytes: 0x1000, type: 'direct', prot: 3 }] : [],
    });
    const { core } = coreWith([iommu]);
    const a = iommu.device('a');
    core.dmaConfigure(a);
    const taken = core.dmaDomainOf(a)!.dmaMap(physAddr(0x4000_0000), 0x1000, 3);
    const before = iommu.state;
    const b = iommu.device('b', { busGroup: () => a.iommuGroup });
    expect(() => core.dmaConfigure(b)).toThrow('EBUSY');
    expect(iommu.state).toEqual(before);
    core.dmaDomainOf(a)!.dmaUnmap(taken, 0x1000);
    core.dmaConfigure(b);
    expect(a.iommuGroup?.devices).toEqual([a, b]);
  });
});
