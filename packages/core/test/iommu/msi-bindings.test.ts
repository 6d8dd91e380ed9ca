// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import {
  DOORBELL_PROT,
  DmaDomain,
  LinuxError,
  PagingDomain,
  SW_MSI_IOVA_BASE,
  SW_MSI_IOVA_LENGTH,
  UserMsiWindow,
  getMsiCookie,
  iova,
  msiDomainAllocIrqs,
  msiDomainFreeIrqs,
  physAddr,
} from '@irqkit/core';
import type { Device, MsiBindings, MsiDoorbellInfo } from '@irqkit/core';
import { runs, seed } from '@irqkit-test/env';
import { stubNode } from '../stub-machine.js';
import { toyBusDomain, toyDevice, toyMsi, vectors } from '../toy-controllers.js';
import { FakeDomainOps, KIB4, KIB64, MIB2 } from './fake-domain-ops.js';

const node = stubNode({ path: '/smmu@9050000' });
const ITS = 0x808_0000;

const doorbell = (...bases: number[]): MsiDoorbellInfo => ({
  ...(bases.length === 1 ? { globalDoorbell: physAddr(bases[0]) } : { percpuDoorbells: bases.map(physAddr) }),
  sizeBytes: 4,
  prot: DOORBELL_PROT,
  irqRemapping: false,
});

interface Setting {
  readonly ops: FakeDomainOps;
  readonly domain: PagingDomain;
  readonly bindings: MsiBindings;
}

const WINDOW = iova(0x1000_0000);

/** A domain under each policy; its window has room for `nrPages` doorbell pages. */
const POLICIES: readonly [string, (nrPages?: number, pageSizes?: readonly number[]) => Setting][] = [
  [
    'DMA',
    (nrPages = 256, pageSizes = [KIB4]) => {
      const ops = new FakeDomainOps({
        pageSizes,
        aperture: { first: iova(0), last: iova((nrPages + 1) * pageSizes[0] - 1) },
      });
      const domain = new DmaDomain({ iommu: node, ops });
      return { ops, domain, bindings: domain.msiBindings };
    },
  ],
  [
    'SW_MSI',
    (nrPages, pageSizes = [KIB4]) => {
      const ops = new FakeDomainOps({ pageSizes });
      const domain = new PagingDomain({ type: 'unmanaged', iommu: node, ops });
      const bindings = getMsiCookie(domain);
      const most = SW_MSI_IOVA_LENGTH / pageSizes[0];
      for (let i = nrPages ?? most; i < most; i++) bindings.bind(doorbell(0x7000_0000 + i * pageSizes[0]));
      return { ops, domain, bindings };
    },
  ],
  [
    'user window',
    (nrPages = 256, pageSizes = [KIB4]) => {
      const ops = new FakeDomainOps({ pageSizes });
      const domain = new PagingDomain({ type: 'unmanaged', iommu: node, ops });
      const window = new UserMsiWindow(domain);
      window.provide(WINDOW, nrPages * pageSizes[0]);
      return { ops, domain, bindings: window.bindings };
    },
  ],
];

const stateOf = ({ ops, bindings }: Setting) => ({
  entries: [...ops.entries],
  stale: ops.stale.size,
  bindings: bindings.bindings.map((one) => ({ ...one })),
});

describe.each(POLICIES)('%s', (policy, make) => {
  const keeps = policy !== 'user window';

  it('R11: one binding per doorbell page, counted, shared by vectors and devices', () => {
    const setting = make();
    const { ops, bindings } = setting;
    bindings.bind(doorbell(ITS + 0x40));
    bindings.bind(doorbell(ITS + 0x40));
    bindings.bind(doorbell(ITS + 0x80));
    const [binding, ...others] = bindings.bindings;
    expect([others, binding.pa, binding.users]).toEqual([[], ITS, 3]);
    expect(ops.entries.get(binding.iova)).toEqual({ pa: ITS, pageBytes: KIB4, prot: DOORBELL_PROT });
    expect(bindings.iovaOf(physAddr(ITS + 0x44))).toBe(binding.iova + 0x44);
    expect(bindings.iovaOf(physAddr(ITS + KIB4))).toBeUndefined();
  });

  it(`R11: a page without users is ${keeps ? 'kept until the domain is freed' : 'unmapped'}`, () => {
    const { ops, domain, bindings } = make();
    for (let i = 0; i < 2; i++) bindings.bind(doorbell(ITS));
    const [{ iova: at }] = bindings.bindings;
    bindings.unbind(doorbell(ITS));
    expect([ops.entries.size, bindings.iovaOf(physAddr(ITS))]).toEqual([1, at]);
    bindings.unbind(doorbell(ITS));
    expect(bindings.iovaOf(physAddr(ITS))).toBeUndefined();
    expect([ops.entries.size, bindings.bindings.length, ops.stale.size]).toEqual(keeps ? [1, 1, 0] : [0, 0, 0]);
    expect(() => bindings.unbind(doorbell(ITS))).toThrow(
      '/smmu@9050000: doorbell page 0x8080000 is not bound (EINVAL)',
    );
    bindings.bind(doorbell(ITS));
    expect(bindings.bindings.map(({ iova: again, users }) => [again, users])).toEqual([[at, 1]]);
    domain.free();
    expect(ops.entries.size).toBe(0);
  });

  it('R7: all pages of a doorbell are bound: a straddling one’s, and every processor’s', () => {
    const { ops, bindings } = make();
    bindings.bind(doorbell(ITS + 0xffe));
    expect(bindings.bindings.map(({ pa }) => pa)).toEqual([ITS, ITS + KIB4]);
    const percpu = doorbell(0x900_0040, 0x901_0040, 0x901_0080);
    bindings.bind(percpu);
    expect(bindings.bindings.slice(2).map(({ pa, users }) => [pa, users])).toEqual([
      [0x900_0000, 1],
      [0x901_0000, 1],
    ]);
    expect(ops.entries.size).toBe(4);
    bindings.unbind(percpu);
    expect(bindings.bindings.filter(({ users }) => users > 0)).toHaveLength(2);
  });

  it('R7: each map of a per-CPU doorbell fails in turn, and all is as before', () => {
    for (let k = 1; k <= 4; k++) {
      const setting = make();
      setting.bindings.bind(doorbell(0x902_0040));
      const before = stateOf(setting);
      setting.ops.failMapIn = k;
      const percpu = doorbell(0x900_0040, 0x902_0040, 0x903_0040, 0x904_0040, 0x905_0040);
      expect(() => setting.bindings.bind(percpu)).toThrow('/smmu: no table page (ENOMEM)');
      expect(stateOf(setting)).toEqual(before);
      setting.ops.failMapIn = Infinity;
      setting.bindings.bind(percpu);
      expect(setting.bindings.bindings).toHaveLength(5);
    }
  });

  it('R7: no IOVA for each of them in turn, and all is as before', () => {
    for (let nrPages = 1; nrPages < 5; nrPages++) {
      const setting = make(nrPages);
      setting.bindings.bind(doorbell(0x902_0040));
      const before = stateOf(setting);
      const percpu = doorbell(0x900_0040, 0x902_0040, 0x903_0040, 0x904_0040, 0x905_0040);
      expect(() => setting.bindings.bind(percpu)).toThrow(/^\/smmu@9050000: .*\(ENOSPC\)$/);
      expect(stateOf(setting)).toEqual(before);
      for (let i = 1; i < nrPages; i++) setting.bindings.bind(doorbell(0xa00_0000 + i * KIB4));
      expect(() => setting.bindings.bind(doorbell(0xb00_0000))).toThrow('ENOSPC');
    }
  });

  it.each([[0x4000], [KIB64]])(
    'R12: bindings are the IOMMU’s smallest pages, %i bytes, with the offset kept',
    (page) => {
      const { ops, bindings } = make(undefined, [page, page * 2048]);
      bindings.bind(doorbell(0x9000_3040));
      const [binding] = bindings.bindings;
      expect([binding.iova % page, binding.pa]).toEqual([0, 0x9000_3040 - (0x3040 % page)]);
      expect(ops.entries.get(binding.iova)).toEqual({ pa: binding.pa, pageBytes: page, prot: DOORBELL_PROT });
      expect(bindings.iovaOf(physAddr(0x9000_3044))).toBe(binding.iova + (0x3044 % page));
    },
  );

  it('R8: looking a binding up changes nothing', () => {
    const setting = make();
    setting.bindings.bind(doorbell(ITS));
    const before = [stateOf(setting), setting.ops.journal.length];
    for (const pa of [ITS, ITS + 4, ITS + KIB4, 0]) setting.bindings.iovaOf(physAddr(pa));
    expect([stateOf(setting), setting.ops.journal.length]).toEqual(before);
  });

  it('R7 R10: any sequence of enable, disable and move: counts are exact, and no user is without a binding', () => {
    const step = fc.record({
      device: fc.nat(3),
      what: fc.constantFrom('toggle', 'move', 'move'),
      nr: fc.integer({ min: 1, max: 4 }),
      fail: fc.option(fc.integer({ min: 1, max: 5 }), { freq: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { ops, bindings } = make();
        const bases = [0x900_0040, 0x900_0ffe];
        const percpu = doorbell(...bases);
        const toy = toyMsi({
          doorbell: percpu,
          capacity: 10,
          compose: (data, msg) => {
            msg.address = physAddr(bases[data.common.effectiveAffinity[0] ?? 0]);
            msg.data = data.hwirq;
          },
        });
        const domain = toyBusDomain(toy);
        const devices: Device[] = Array.from({ length: 4 }, (_, i) =>
          toyDevice({ name: `d${i}`, requesterId: i, msiDomain: domain, msiTranslation: bindings }),
        );
        for (const { device, what, nr, fail } of steps) {
          const target = devices[device];
          ops.failMapIn = fail ?? Infinity;
          try {
            if (what === 'move') for (const desc of target.msiDescs) toy.irqs.setAffinity(desc.virq, [nr % 2]);
            else if (target.msiDescs.length > 0) msiDomainFreeIrqs(toy.irqs, target);
            else msiDomainAllocIrqs(toy.irqs, target, vectors(toy, nr));
          } catch (error) {
            if (!LinuxError.is(error, 'ENOSPC') && !LinuxError.is(error, 'ENOMEM')) throw error;
          }
          ops.failMapIn = Infinity;
          const live = devices.flatMap(({ msiDescs }) => msiDescs);
          const used = bindings.bindings.filter(({ users }) => users > 0);
          expect(used.map(({ users }) => users)).toEqual(live.length > 0 ? [live.length, live.length] : []);
          const programmed = live.map(({ msg }) => ops.iovaToPhys(iova(msg.address)));
          expect(programmed.filter((pa) => pa === undefined || !bases.includes(pa))).toEqual([]);
          expect(ops.entries.size).toBe(bindings.bindings.length);
          if (!keeps) expect(bindings.bindings).toHaveLength(used.length);
        }
        for (const target of devices) msiDomainFreeIrqs(toy.irqs, target);
        expect(bindings.bindings.filter(({ users }) => users > 0)).toEqual([]);
      }),
      { numRuns: runs(60, 10_000), seed },
    );
  });
});

describe('the DMA policy', () => {
  const dma = () => {
    const ops = new FakeDomainOps();
    return { ops, domain: new DmaDomain({ iommu: node, ops }) };
  };

  it('R14: the first doorbell is at 0xfffff000, the next in the next page below, among other mappings', () => {
    const { domain } = dma();
    domain.msiBindings.bind(doorbell(ITS + 0x40));
    expect(domain.msiBindings.iovaOf(physAddr(ITS + 0x40))).toBe(0xffff_f040);
    expect(domain.dmaMap(physAddr(0), KIB4, 1)).toBe(0xffff_e000);
    domain.msiBindings.bind(doorbell(0x900_0040));
    expect(domain.msiBindings.iovaOf(physAddr(0x900_0040))).toBe(0xffff_d040);
    expect(domain.iovas.nrAllocated).toBe(3);
  });

  it('R13: doorbells of an msi region are reached at their own addresses, unmapped', () => {
    const { ops, domain } = dma();
    domain.reserve({ base: iova(ITS), sizeBytes: KIB64, type: 'msi', prot: 0 });
    expect(domain.msiBindings.iovaOf(physAddr(ITS + 0x40))).toBeUndefined();
    domain.msiBindings.bind(doorbell(ITS + 0x40));
    expect(domain.msiBindings.iovaOf(physAddr(ITS + 0x40))).toBe(ITS + 0x40);
    domain.msiBindings.unbind(doorbell(ITS + 0x40));
    expect([ops.entries.size, domain.msiBindings.bindings.length]).toEqual([0, KIB64 / KIB4]);
  });
});

describe('the SW_MSI policy', () => {
  const unmanaged = () => {
    const ops = new FakeDomainOps();
    return { ops, domain: new PagingDomain({ type: 'unmanaged', iommu: node, ops }) };
  };

  it('R12: goes upwards from 0x8000000, or from where it is told', () => {
    for (const base of [undefined, iova(0xa000_0000)]) {
      const { domain } = unmanaged();
      const bindings = getMsiCookie(domain, base);
      bindings.bind(doorbell(ITS));
      bindings.bind(doorbell(0x900_0000));
      const first = base ?? 0x800_0000;
      expect(bindings.bindings.map(({ iova: at }) => at)).toEqual([first, first + KIB4]);
      expect(domain.msiBindings).toBe(bindings);
    }
    expect([SW_MSI_IOVA_BASE, SW_MSI_IOVA_LENGTH]).toEqual([0x800_0000, 0x10_0000]);
  });

  it('is for unmanaged domains without a policy', () => {
    const { ops, domain } = unmanaged();
    getMsiCookie(domain);
    expect(() => getMsiCookie(domain)).toThrow('EBUSY');
    expect(() => new UserMsiWindow(domain)).toThrow('EBUSY');
    for (const type of ['identity', 'blocked', 'dma'] as const)
      expect(() => getMsiCookie(new PagingDomain({ type, iommu: node, ops }))).toThrow('EINVAL');
  });
});

describe('the user-window policy', () => {
  const user = () => {
    const ops = new FakeDomainOps();
    const domain = new PagingDomain({ type: 'unmanaged', iommu: node, ops });
    return { ops, domain, window: new UserMsiWindow(domain) };
  };

  it('R15: binding with no window provided is EINVAL', () => {
    const { window } = user();
    expect(() => window.bindings.bind(doorbell(ITS))).toThrow('/smmu@9050000: MSI window: there is none (EINVAL)');
  });

  it.each([
    ['empty', 0x1000_0000, 0],
    ['misaligned', 0x1000_0800, KIB4],
    ['of half a page', 0x1000_0000, KIB4 / 2],
  ])('R15: a window that is %s is EINVAL', (_title, base, sizeBytes) => {
    const { window } = user();
    expect(() => window.provide(iova(base), sizeBytes)).toThrow('EINVAL');
    expect(window.range).toBeUndefined();
  });

  it('R15: a second window is EEXIST; taking it back is EBUSY while bindings live, and ENOENT twice', () => {
    const { window } = user();
    window.provide(WINDOW, MIB2);
    expect(window.range).toEqual({ base: WINDOW, sizeBytes: MIB2 });
    expect(() => window.provide(iova(0x2000_0000), KIB4)).toThrow('EEXIST');
    window.bindings.bind(doorbell(ITS));
    expect(window.busy).toBe(true);
    expect(() => window.withdraw()).toThrow('1 doorbell pages are bound in it (EBUSY)');
    window.bindings.unbind(doorbell(ITS));
    expect(window.busy).toBe(false);
    window.withdraw();
    expect(() => window.withdraw()).toThrow('ENOENT');
    window.provide(iova(0x2000_0000), KIB4);
    window.bindings.bind(doorbell(ITS + 0x40));
    expect(window.bindings.iovaOf(physAddr(ITS + 0x40))).toBe(0x2000_0040);
  });

  it('R19: enabling MSI with a window too small for the doorbells is ENOSPC, and nothing leaks', () => {
    const { ops, window } = user();
    window.provide(WINDOW, 2 * KIB4);
    const toy = toyMsi({ doorbell: doorbell(0x900_0040, 0x901_0040, 0x902_0040) });
    const device = toyDevice({ name: 'd', msiDomain: toyBusDomain(toy), msiTranslation: window.bindings });
    expect(() => msiDomainAllocIrqs(toy.irqs, device, vectors(toy, 2))).toThrow('all 2 pages are bound (ENOSPC)');
    expect([ops.entries.size, window.busy, toy.irqs.all.length, toy.used.size]).toEqual([0, false, 0, 0]);
    expect(ops.stale.size).toBe(0);
  });

  it('gives pages out again', () => {
    const { window } = user();
    window.provide(WINDOW, 3 * KIB4);
    const bound = [0x1_0000, 0x2_0000, 0x3_0000];
    for (const base of bound) window.bindings.bind(doorbell(base));
    window.bindings.unbind(doorbell(0x2_0000));
    window.bindings.bind(doorbell(0x4_0000));
    expect(window.bindings.iovaOf(physAddr(0x4_0000))).toBe(WINDOW + KIB4);
    for (const base of [0x1_0000, 0x3_0000, 0x4_0000]) window.bindings.unbind(doorbell(base));
    window.bindings.bind(doorbell(0x5_0000));
    expect(window.bindings.iovaOf(physAddr(0x5_0000))).toBe(WINDOW);
  });
});
