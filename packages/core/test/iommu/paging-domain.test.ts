// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { IOMMU_PROT, IotlbGather, LinuxError, PagingDomain, iova, physAddr } from '@irqkit/core';
import type { IommuDomainType, Iova } from '@irqkit/core';
import { runs, seed } from '@irqkit-test/env';
import { stubNode } from '../stub-machine.js';
import { FakeDomainOps, GIB, KIB4, KIB64, MIB2 } from './fake-domain-ops.js';
import type { FakeOptions } from './fake-domain-ops.js';

const { READ, WRITE } = IOMMU_PROT;
const node = stubNode({ path: '/smmu@9050000' });

const setUp = (options?: FakeOptions, type: IommuDomainType = 'unmanaged') => {
  const ops = new FakeDomainOps(options);
  return { ops, domain: new PagingDomain({ type, iommu: node, ops }) };
};

describe('mapping', () => {
  it.each([
    ['a page', 0x1000, 0x8000_1000, 0x1000, ['map 0x1000 0x1000 x1']],
    [
      'pages up to a block and after it',
      0x1f_f000,
      0x801f_f000,
      MIB2 + 0x2000,
      ['map 0x1ff000 0x1000 x1', 'map 0x200000 0x200000 x1', 'map 0x400000 0x1000 x1'],
    ],
    [
      'pages only where the addresses lie differently in a block',
      0x20_0000,
      0x8000_1000,
      MIB2,
      ['map 0x200000 0x1000 x512'],
    ],
    [
      'pages only where the rest after the boundary is no whole block',
      0x1f_f000,
      0x801f_f000,
      MIB2,
      ['map 0x1ff000 0x1000 x512'],
    ],
    [
      'blocks up to a larger block',
      GIB - MIB2,
      3 * GIB - MIB2,
      GIB + MIB2,
      ['map 0x3fe00000 0x200000 x1', 'map 0x40000000 0x40000000 x1'],
    ],
    ['a block at address 0', 0, 0, MIB2, ['map 0x0 0x200000 x1']],
    ['what is above 4 GiB', 0x10_0000_0000, 0x20_0000_0000, 2 * GIB, ['map 0x1000000000 0x40000000 x2']],
  ])('takes the largest pages that fit: %s', (_title, at, pa, sizeBytes, journal) => {
    const { ops, domain } = setUp();
    domain.map(iova(at), physAddr(pa), sizeBytes, READ | WRITE);
    expect(ops.journal).toEqual(journal);
    expect(domain.iovaToPhys(iova(at + sizeBytes - 1))).toBe(pa + sizeBytes - 1);
    expect(domain.unmap(iova(at), sizeBytes)).toBe(sizeBytes);
    expect(ops.entries.size).toBe(0);
  });

  it.each([
    ['an empty range', 0x1000, 0x1000, 0],
    ['a misaligned IOVA', 0x1800, 0x1000, 0x1000],
    ['a misaligned physical address', 0x1000, 0x1800, 0x1000],
    ['a misaligned size', 0x1000, 0x1000, 0x1800],
  ])('refuses %s', (_title, at, pa, sizeBytes) => {
    const { ops, domain } = setUp();
    expect(() => domain.map(iova(at), physAddr(pa), sizeBytes, READ)).toThrow(/^\/smmu@9050000: .*\(EINVAL\)$/);
    expect(ops.journal).toEqual([]);
  });

  it.each([[0x4000], [KIB64]])('is aligned to the smallest page, %i bytes', (smallest) => {
    const { domain } = setUp({ pageSizes: [smallest, smallest * 2048] });
    for (const wrong of [KIB4, smallest / 2]) {
      expect(() => domain.map(iova(wrong), physAddr(0), smallest, READ)).toThrow('EINVAL');
      expect(() => domain.map(iova(0), physAddr(0), wrong, READ)).toThrow('EINVAL');
      expect(() => domain.unmap(iova(wrong), smallest)).toThrow('EINVAL');
    }
    domain.map(iova(smallest), physAddr(0), smallest, READ);
    expect(domain.unmap(iova(smallest), smallest)).toBe(smallest);
  });

  it('stays in the aperture', () => {
    const { domain } = setUp({ aperture: { first: iova(0x1_0000), last: iova(0xf_ffff) } });
    for (const at of [0xf000, 0xf_f000, 0x10_0000])
      expect(() => domain.map(iova(at), physAddr(0), 0x2000, READ)).toThrow('ERANGE');
    domain.map(iova(0xf_e000), physAddr(0), 0x2000, READ);
    expect(domain.unmap(iova(0xf_e000), 0x4000)).toBe(0x2000);
    expect(domain.unmap(iova(0), 0x1000)).toBe(0);
  });

  it('undoes the runs before the one that fails, invalidates them, and the error is the first cause', () => {
    for (const k of [1, 2, 3]) {
      const { ops, domain } = setUp();
      ops.failMapIn = k;
      expect(() => domain.map(iova(0x1f_f000), physAddr(0x1f_f000), MIB2 + 0x2000, READ)).toThrow(
        '/smmu: no table page (ENOMEM)',
      );
      expect(ops.entries.size).toBe(0);
      expect(ops.stale.size).toBe(0);
    }
  });

  it.each<[IommuDomainType, number | undefined]>([
    ['identity', 0x1234],
    ['blocked', undefined],
  ])('has no place in a domain of type %s', (type, pa) => {
    const { domain } = setUp({ pageSizes: [] }, type);
    expect(() => domain.map(iova(0x1000), physAddr(0x1000), 0x1000, READ)).toThrow('EINVAL');
    expect(() => domain.unmap(iova(0x1000), 0x1000)).toThrow('EINVAL');
    expect(domain.iovaToPhys(iova(0x1234))).toBe(pa);
  });
});

describe('unmapping', () => {
  it('ends at the first hole, and invalidates once', () => {
    const { ops, domain } = setUp();
    domain.map(iova(0x1000), physAddr(0x1000), 0x3000, READ);
    domain.map(iova(0x5000), physAddr(0x5000), 0x1000, READ);
    ops.journal.length = 0;
    expect(domain.unmap(iova(0x1000), 0x5000)).toBe(0x3000);
    expect(ops.journal).toEqual(['sync 0x1000-0x3fff']);
    expect(domain.iovaToPhys(iova(0x5000))).toBe(0x5000);
    expect(domain.unmap(iova(0x8000), 0x1000)).toBe(0);
    expect(ops.journal).toHaveLength(1);
  });

  it('leaves the invalidation to a gather that it is given', () => {
    const { ops, domain } = setUp();
    domain.map(iova(0x1000), physAddr(0x1000), 0x2000, READ);
    const gather = new IotlbGather();
    expect(domain.unmapGathered(iova(0x1000), 0x2000, gather)).toBe(0x2000);
    expect(gather).toMatchObject({ first: 0x1000, last: 0x2fff, pageBytes: 0x1000 });
    expect(ops.stale.size).toBe(2);
  });

  it('frees the driver’s half', () => {
    const { ops, domain } = setUp();
    domain.free();
    expect(ops.journal).toEqual(['free']);
  });
});

describe('a gather', () => {
  it('takes runs of one page size that touch, on either side', () => {
    const gather = new IotlbGather();
    expect(gather.first).toBeGreaterThan(gather.last);
    expect(gather.add(iova(0x5000), 0x2000, KIB4)).toBe(true);
    expect(gather.add(iova(0x7000), 0x1000, KIB4)).toBe(true);
    expect(gather.add(iova(0x4000), 0x1000, KIB4)).toBe(true);
    expect(gather.add(iova(0x9000), 0x1000, KIB4)).toBe(false);
    expect(gather.add(iova(0x2000), 0x1000, KIB4)).toBe(false);
    expect(gather.add(iova(0x8000), 0x1000, 0x4000)).toBe(false);
    expect(gather).toMatchObject({ first: 0x4000, last: 0x7fff, pageBytes: KIB4, queued: false });
    gather.reset();
    expect(gather.add(iova(0), MIB2, MIB2)).toBe(true);
    expect(gather).toMatchObject({ first: 0, last: MIB2 - 1, pageBytes: MIB2 });
  });

  it('takes everything and records nothing where a flush queue will invalidate', () => {
    const gather = new IotlbGather(true);
    expect([gather.add(iova(0), KIB4, KIB4), gather.add(iova(MIB2), MIB2, MIB2)]).toEqual([true, true]);
    expect(gather).toMatchObject({ pageBytes: 0, queued: true });
    expect(gather.first).toBeGreaterThan(gather.last);
  });
});

describe('any sequence', () => {
  const step = fc.record({
    kind: fc.constantFrom('map', 'unmap'),
    page: fc.nat(1100),
    pa: fc.nat(1100),
    count: fc.integer({ min: 1, max: 1100 }),
    fail: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 4 }),
  });

  it('of maps and unmaps agrees with a Map of pages', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const { ops, domain } = setUp();
        const reference = new Map<number, number>();
        for (const { kind, page, pa, count, fail } of steps) {
          const range = Array.from({ length: count }, (_, i) => page + i);
          const at = iova(page * KIB4);
          if (kind === 'unmap') {
            const hole = range.findIndex((one) => !reference.has(one));
            const expected = hole < 0 ? count : hole;
            expect(domain.unmap(at, count * KIB4)).toBe(expected * KIB4);
            for (const one of range.slice(0, expected)) reference.delete(one);
          } else {
            ops.failMapIn = fail ?? Infinity;
            try {
              domain.map(at, physAddr(pa * KIB4), count * KIB4, READ);
              for (const one of range) reference.set(one, pa + one - page);
            } catch (error) {
              const overlap = range.some((one) => reference.has(one));
              if (!LinuxError.is(error, 'ENOMEM'))
                expect([LinuxError.is(error, 'EEXIST'), overlap]).toEqual([true, true]);
            }
            ops.failMapIn = Infinity;
          }
          expect(ops.stale.size).toBe(0);
        }
        const pages = Array.from({ length: 2300 }, (_, page) => page);
        const wrong = pages.filter((page) => {
          const pa = reference.get(page);
          return (
            domain.iovaToPhys((page * KIB4 + 0x123) as Iova) !== (pa === undefined ? undefined : pa * KIB4 + 0x123)
          );
        });
        expect(wrong).toEqual([]);
      }),
      { numRuns: runs(60, 2000), seed },
    );
  });
});
