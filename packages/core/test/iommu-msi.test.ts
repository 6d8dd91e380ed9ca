// SPDX-License-Identifier: Apache-2.0
// Messages of devices behind an IOMMU: which address is programmed, and what is bound for it.

import { IOMMU_PROT, PlatformDevice, iova, msiDomainAllocIrqs, msiDomainFreeIrqs, physAddr } from '@irqkit/core';
import type { IommuSettings } from '@irqkit/core';
import { FakeIommu, coreWith } from './fake-iommu.js';
import type { FakeIommuOptions } from './fake-iommu.js';
import { stubNode } from './stub-machine.js';
import { MSI_NODE, toyBusDomain, toyMsi, vectors } from './toy-controllers.js';

const DOORBELL_PAGE = 0x2000;

const setUp = (options: FakeIommuOptions & { settings?: IommuSettings; driven?: boolean } = {}) => {
  const iommu = new FakeIommu(options);
  const { core } = coreWith(options.driven === false ? [] : [iommu], { settings: options.settings });
  const toy = toyMsi();
  const device = iommu.device('0000:00:01.0', { msiDomain: toyBusDomain(toy) });
  core.dmaConfigure(device);
  const enable = (nr = 1) => msiDomainAllocIrqs(toy.irqs, device, vectors(toy, nr));
  return { iommu, core, toy, device, enable, disable: () => msiDomainFreeIrqs(toy.irqs, device) };
};

describe('the address of a message', () => {
  it.each<[string, Parameters<typeof setUp>[0]]>([
    ['no driver for the IOMMU', { driven: false }],
    ['identity', { settings: { passthrough: true } }],
    ['an IOMMU that does not translate MSIs', { translatesMsi: false }],
  ])('R13: is physical with %s', (_what, options) => {
    const { enable, iommu } = setUp(options);
    expect(enable()[0].msg.address).toBe(0x2040);
    expect([...iommu.domains].flatMap(({ pages }) => [...pages])).toEqual([]);
  });

  it('R14: is in the highest page below 4 GiB in the first DMA domain, mapped before any vector is usable', () => {
    const { enable, iommu, toy, core, device } = setUp();
    const [first, second] = enable(2);
    expect([first.msg, second.msg]).toEqual([
      { address: 0xffff_f040, data: 0 },
      { address: 0xffff_f040, data: 1 },
    ]);
    expect(iommu.journal.slice(-1)).toEqual(['map fffff000']);
    expect(toy.journal).toEqual(['write 0 0xfffff040=0', 'write 1 0xfffff040=1']);
    const [{ pages }] = iommu.domains;
    const prot = IOMMU_PROT.WRITE | IOMMU_PROT.MMIO | IOMMU_PROT.NOEXEC;
    expect([...pages]).toEqual([[0xffff_f000, { pa: DOORBELL_PAGE, prot }]]);
    expect(core.dmaDomainOf(device)?.msiBindings.bindings).toEqual([
      { iova: 0xffff_f000, pa: DOORBELL_PAGE, users: 2 },
    ]);
  });

  it('R14: one mapping for the whole group, which stays until the domain goes', () => {
    const { enable, disable, iommu, core, device, toy } = setUp();
    const other = iommu.device('0000:00:01.1', {
      requesterId: 2,
      msiDomain: device.msiDomain,
      busGroup: () => device.iommuGroup,
    });
    core.dmaConfigure(other);
    enable();
    const [desc] = msiDomainAllocIrqs(toy.irqs, other, vectors(toy, 1));
    expect(desc.msg.address).toBe(0xffff_f040);
    disable();
    msiDomainFreeIrqs(toy.irqs, other);
    expect([...iommu.domains].map(({ pages }) => pages.size)).toEqual([1]);
    core.dmaUnconfigure(device);
    core.dmaUnconfigure(other);
    expect(iommu.state).toEqual({ devices: [], attached: [], domains: [] });
  });

  it('R16: is in the window at 0x8000000 once a group is in an unmanaged domain, and in its own space again after', () => {
    const { enable, disable, core, device } = setUp();
    const domain = core.allocDomain(device.iommuGroup!, 'unmanaged');
    core.attachGroup(domain, device.iommuGroup!);
    expect(enable()[0].msg.address).toBe(0x800_0040);
    expect(() => core.detachGroup(domain, device.iommuGroup!)).toThrow('EBUSY');
    disable();
    core.detachGroup(domain, device.iommuGroup!);
    expect(enable()[0].msg.address).toBe(0xffff_f040);
    disable();
    domain.free();
  });

  it('is its own where the hardware lets doorbell writes through, though it translates the rest', () => {
    const { enable } = setUp({ resvRegions: () => [{ base: iova(0x2000), sizeBytes: 0x1000, type: 'msi', prot: 0 }] });
    expect(enable()[0].msg.address).toBe(0x2040);
  });

  it('R7: every step of enabling fails in turn: domains and devices as before', () => {
    const { enable, iommu, device, toy } = setUp();
    const before = iommu.state;
    iommu.failNext(0);
    expect(() => enable(2)).toThrow('ENOMEM');
    expect([iommu.state, device.msiDescs, toy.used.size]).toEqual([before, [], 0]);
    iommu.failAt = Infinity;
    expect(enable(2)[0].msg.address).toBe(0xffff_f040);
  });
});

describe('a platform device', () => {
  it("goes by every entry of its node's iommus", () => {
    const iommu = new FakeIommu();
    const { core } = coreWith([iommu]);
    const toy = toyMsi();
    const iommus = [
      { controller: iommu.node, id: 5, args: [5, 0x7f] },
      { controller: iommu.node, id: 9, args: [9] },
    ];
    const node = stubNode({ path: '/dma@5000', mapId: () => ({ controller: MSI_NODE, id: 7 }), iommus });
    const device = new PlatformDevice(toy.irqs, node);
    const probed: unknown[] = [];
    const probe = iommu.probeDevice.bind(iommu);
    Object.assign(iommu, {
      probeDevice(own: PlatformDevice, ids: unknown) {
        probed.push(ids);
        probe(own);
      },
    });
    core.dmaConfigure(device);
    expect(probed).toEqual([iommus]);
    const written: number[] = [];
    device.enableMsi(1, (_index, { address }) => written.push(address));
    expect(() => core.dmaUnconfigure(device)).toThrow('EBUSY');
    device.disableMsi();
    core.dmaUnconfigure(device);
    expect(written).toEqual([0xffff_f040, 0]);
    expect(physAddr(device.msiDeviceId)).toBe(7);
  });
});
