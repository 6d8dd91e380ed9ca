// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { DmaDomain, FlushQueue, IOMMU_PROT, LinuxError, iova, physAddr } from '@irqkit/core';
import type { Iova } from '@irqkit/core';
import { runs, seed } from '@irqkit-test/env';
import { stubNode } from '../stub-machine.js';
import { FakeDomainOps, GIB, KIB4, KIB64, MIB2 } from './fake-domain-ops.js';
import type { FakeOptions } from './fake-domain-ops.js';

const { READ, WRITE } = IOMMU_PROT;
const node = stubNode({ path: '/smmu@9050000' });

const setUp = (options: FakeOptions & { readonly lazy?: boolean } = {}) => {
  const ops = new FakeDomainOps(options);
  return { ops, domain: new DmaDomain({ iommu: node, ops, lazy: options.lazy }) };
};

describe('mapping for DMA', () => {
  it('keeps the offset in the page, and maps every page that is touched', () => {
    const { ops, domain } = setUp();
    expect(domain.type).toBe('dma');
    const at = domain.dmaMap(physAddr(0x4000_0ffe), 4, READ);
    expect(at).toBe(0xffff_effe);
    expect(domain.iovaToPhys(iova(at + 3))).toBe(0x4000_1001);
    domain.dmaUnmap(at, 4);
    expect([ops.entries.size, ops.stale.size, domain.iovas.nrAllocated]).toEqual([0, 0, 0]);
  });

  it.each([[0x4000], [KIB64]])('goes by the smallest page, %i bytes', (page) => {
    const { ops, domain } = setUp({ pageSizes: [page, page * 2048] });
    expect(domain.dmaMap(physAddr(KIB4), 1, READ)).toBe(2 ** 32 - page + KIB4);
    expect(ops.entries.get(2 ** 32 - page)).toEqual({ pa: 0, pageBytes: page, prot: READ });
  });

  it('uses blocks, since IOVAs are aligned to their size', () => {
    const { ops, domain } = setUp();
    domain.dmaMap(physAddr(2 * GIB), 2 * MIB2, WRITE);
    expect(ops.journal).toEqual(['map 0xffc00000 0x200000 x2']);
  });

  it('stays below what the device can reach', () => {
    const { domain } = setUp();
    expect(domain.dmaMap(physAddr(0), KIB4, READ, iova(2 ** 30 - 1))).toBe(0x3fff_f000);
    expect(domain.dmaMap(physAddr(0), KIB4, READ, iova(2 ** 40 - 1))).toBe(0xffff_f000);
  });

  it('gives the IOVAs back where mapping fails', () => {
    for (const k of [1, 2]) {
      const { ops, domain } = setUp();
      ops.failMapIn = k;
      expect(() => domain.dmaMap(physAddr(2 * GIB), MIB2 + KIB4, READ)).toThrow('ENOMEM');
      expect([ops.entries.size, ops.stale.size, domain.iovas.nrAllocated]).toEqual([0, 0, 0]);
    }
  });

  it('refuses nothing, and what is not mapped so', () => {
    const { ops, domain } = setUp();
    expect(() => domain.dmaMap(physAddr(0x1000), 0, READ)).toThrow('EINVAL');
    const at = domain.dmaMap(physAddr(0x1000), 4 * KIB4, READ);
    const wrong: [number, number][] = [
      [at, KIB4],
      [at + KIB4, KIB4],
      [0x1000, KIB4],
    ];
    for (const [start, sizeBytes] of wrong) expect(() => domain.dmaUnmap(iova(start), sizeBytes)).toThrow('EINVAL');
    expect(ops.entries.size).toBe(4);
    domain.unmap(iova(at + KIB4), KIB4);
    expect(() => domain.dmaUnmap(at, 4 * KIB4)).toThrow('is not mapped (EINVAL)');
    expect(ops.stale.size).toBe(0);
  });

  it('frees the driver’s half', () => {
    const { ops, domain } = setUp();
    domain.dmaMap(physAddr(0), KIB4, READ);
    domain.free();
    expect(ops.journal.at(-1)).toBe('free');
  });
});

describe('invalidation', () => {
  it('is at once in strict mode', () => {
    const { ops, domain } = setUp();
    domain.dmaUnmap(domain.dmaMap(physAddr(0), 2 * KIB4, READ), 2 * KIB4);
    expect(ops.journal.slice(1)).toEqual(['sync 0xffffe000-0xffffffff']);
    expect(domain.flushQueue).toBeUndefined();
  });

  it('is by the queue in lazy mode: no IOVA is used again before', () => {
    const { ops, domain } = setUp({ lazy: true });
    const at = domain.dmaMap(physAddr(0), KIB4, READ);
    domain.dmaUnmap(at, KIB4);
    expect([ops.journal.length, ops.stale.size, domain.flushQueue?.length]).toEqual([1, 1, 1]);
    expect(() => domain.dmaUnmap(at, KIB4)).toThrow('EINVAL');
    expect(domain.dmaMap(physAddr(0), KIB4, READ)).not.toBe(at);
    domain.flushQueue?.flush();
    expect([ops.journal.at(-1), ops.stale.size, domain.flushQueue?.length]).toEqual(['flush', 0, 0]);
    expect(domain.dmaMap(physAddr(0), KIB4, READ)).toBe(at);
  });

  it('comes when 256 IOVAs wait and another one is to', () => {
    const flushed: number[] = [];
    const released: Iova[] = [];
    const queue = new FlushQueue(
      () => flushed.push(released.length),
      (at) => released.push(at),
    );
    queue.flush();
    for (let i = 0; i < 256; i++) queue.add(iova(i * KIB4));
    expect([flushed, released]).toEqual([[], []]);
    queue.add(iova(GIB));
    expect([flushed, released.length, queue.length]).toEqual([[0], 256, 1]);
  });

  it('comes before there are no IOVAs', () => {
    const { ops, domain } = setUp({ lazy: true, aperture: { first: iova(0), last: iova(0x3fff) } });
    const taken = [1, 2, 3].map(() => domain.dmaMap(physAddr(0), KIB4, READ));
    expect(() => domain.dmaMap(physAddr(0), KIB4, READ)).toThrow('ENOSPC');
    domain.dmaUnmap(taken[1], KIB4);
    expect(domain.dmaMap(physAddr(0), KIB4, READ)).toBe(taken[1]);
    expect(ops.journal).toContain('flush');
  });
});

describe('reserved regions', () => {
  const region = (type: 'direct' | 'direct-relaxable' | 'reserved' | 'msi' | 'sw-msi', base: number) => ({
    base: iova(base),
    sizeBytes: KIB64,
    type,
    prot: 0,
  });

  it.each(['direct', 'direct-relaxable', 'reserved', 'msi'] as const)('keep IOVAs from being given out: %s', (type) => {
    const { ops, domain } = setUp();
    domain.reserve(region(type, 0xffff_0000));
    expect(domain.dmaMap(physAddr(0), KIB4, READ)).toBe(0xfffe_f000);
    expect(ops.entries.size).toBe(1);
    expect(() => domain.reserve(region(type, 0xfffe_0000))).toThrow('EBUSY');
  });

  it('but for the SW_MSI window, which is for unmanaged domains', () => {
    const { domain } = setUp();
    domain.reserve(region('sw-msi', 0xffff_0000));
    expect(domain.dmaMap(physAddr(0), KIB4, READ)).toBe(0xffff_f000);
  });
});

describe('any sequence', () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('map' as const),
      pa: fc.nat(2 ** 30),
      size: fc.integer({ min: 1, max: 300_000 }),
      fail: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('unmap' as const), which: fc.nat() }),
    fc.record({ kind: fc.constant('flush' as const) }),
  );

  it.each([[false], [true]])(
    'keeps translations of what is mapped, and reuses no IOVA that may be cached (lazy: %p)',
    (lazy) => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
          const { ops, domain } = setUp({ lazy });
          const live: { at: Iova; pa: number; size: number }[] = [];
          for (const one of steps) {
            if (one.kind === 'flush') domain.flushQueue?.flush();
            else if (one.kind === 'unmap') {
              const [gone] = live.splice(one.which % Math.max(1, live.length), 1);
              if (gone) domain.dmaUnmap(gone.at, gone.size);
            } else {
              ops.failMapIn = one.fail ? 1 : Infinity;
              try {
                live.push({ at: domain.dmaMap(physAddr(one.pa), one.size, READ), pa: one.pa, size: one.size });
              } catch (error) {
                expect([LinuxError.is(error, 'ENOMEM'), one.fail]).toEqual([true, true]);
              }
              ops.failMapIn = Infinity;
            }
            expect([...ops.stale].filter((at) => ops.entries.has(at))).toEqual([]);
          }
          const ends = live.flatMap(({ at, pa, size }) => [
            [domain.iovaToPhys(at), pa],
            [domain.iovaToPhys(iova(at + size - 1)), pa + size - 1],
          ]);
          expect(ends.filter(([got, wanted]) => got !== wanted)).toEqual([]);
          for (const { at, size } of live) domain.dmaUnmap(at, size);
          domain.flushQueue?.flush();
          expect([ops.entries.size, ops.stale.size, domain.iovas.nrAllocated]).toEqual([0, 0, 0]);
        }),
        { numRuns: runs(60, 2000), seed },
      );
    },
  );
});
