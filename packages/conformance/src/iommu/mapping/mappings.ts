// SPDX-License-Identifier: Apache-2.0
// What a device reaches: what is mapped, with the permissions that were asked for, and nothing beside it.

import { IOMMU_PROT } from '@irqkit/core';
import type { Iova } from '@irqkit/core';
import { expectSame, expectThat } from '../../expect/expect.js';
import type { IommuCheck, IommuSubject } from '../capabilities.js';
import {
  expectNoRead,
  expectNoWrite,
  expectNothing,
  expectReaches,
  expectReads,
  expectWrites,
} from '../expect-reach.js';
import { RW } from '../protections.js';
import { withIommu } from '../rig/iommu-stand.js';

export const mappingChecks = (subject: IommuSubject): readonly IommuCheck[] => [
  {
    title: 'its page sizes are ascending powers of two of 4 KiB at least, and its aperture is whole pages',
    run() {
      withIommu(subject, (stand) => {
        const { domain } = stand.open();
        const { pageSizes, aperture } = domain;
        const sorted = [...pageSizes].sort((a, b) => a - b);
        expectThat(pageSizes.length > 0, () => 'an unmanaged domain has no page size');
        expectSame(pageSizes, sorted, 'its page sizes');
        for (const size of pageSizes)
          expectThat(size >= 0x1000 && Number.isInteger(Math.log2(size)), () => `there are no pages of ${size} bytes`);
        const ends = [aperture.first % pageSizes[0], (aperture.last + 1) % pageSizes[0]];
        expectSame(ends, [0, 0], 'what its aperture has beyond whole pages, at either end');
      });
    },
  },
  {
    title: 'a device reaches what is mapped, at both ends of each page and across pages, and nothing beside it',
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        const [bytes] = domain.pageSizes;
        const pages = stand.pages(8, bytes);
        const first = stand.iovaFor(device, domain, 8 * bytes, bytes);
        const at = (page: number) => (first + page * bytes) as Iova;
        // Neighbours that are none in memory.
        const targets = new Map([
          [2, 5],
          [3, 1],
          [4, 7],
        ]);
        for (const [page, target] of targets) domain.map(at(page), pages.pa(target), bytes, RW);
        for (let page = 1; page < 6; page++) {
          const target = targets.get(page);
          if (target === undefined) expectNothing(device, pages, at(page), `beside what is mapped`);
          else expectReaches(device, pages, at(page), target, `page ${page} of those that are mapped`);
        }
        const across = device.load(at(3) - 4, 8);
        expectThat(across !== undefined, () => 'reading across two pages that are mapped faults');
        expectSame(
          [pages.pageOf(across.subarray(0, 4)), pages.pageOf(across.subarray(4))],
          [5, 1],
          'two pages at once',
        );
        expectSame(device.load(at(5) - 4, 8), undefined, 'reading across the end of what is mapped');
      });
    },
  },
  {
    title: 'a page that is mapped to be read is not written',
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        const [bytes] = domain.pageSizes;
        const pages = stand.pages(2, bytes);
        const first = stand.iovaFor(device, domain, 2 * bytes, bytes);
        const second = (first + bytes) as Iova;
        domain.map(first, pages.pa(0), bytes, IOMMU_PROT.READ);
        domain.map(second, pages.pa(1), bytes, IOMMU_PROT.READ);
        expectReads(device, pages, first, 0, 'a page that may be read');
        expectNoWrite(device, pages, first, 'a page that may be read, and was');
        expectNoWrite(device, pages, second, 'a page that may be read, and was not');
        expectReads(device, pages, second, 1, 'a page that may be read, after a write was refused');
      });
    },
  },
  {
    title: 'a page that is mapped to be written is not read',
    needs: ['write-only'],
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        const [bytes] = domain.pageSizes;
        const pages = stand.pages(1, bytes);
        const iova = stand.iovaFor(device, domain, bytes, bytes);
        domain.map(iova, pages.pa(0), bytes, IOMMU_PROT.WRITE);
        expectWrites(device, pages, iova, 0, 'a page that may be written');
        expectNoRead(device, pages, iova, 'a page that may be written');
      });
    },
  },
  {
    title: 'an unmap ends at the first hole and says how far it came; what is beyond stays',
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        const [bytes] = domain.pageSizes;
        const pages = stand.pages(5, bytes);
        const first = stand.iovaFor(device, domain, 5 * bytes, bytes);
        const at = (page: number) => (first + page * bytes) as Iova;
        for (const page of [0, 1, 3]) domain.map(at(page), pages.pa(page), bytes, RW);
        expectSame(domain.unmap(at(0), 5 * bytes), 2 * bytes, 'bytes unmapped of two pages before a hole');
        expectSame(domain.unmap(at(0), bytes), 0, 'bytes unmapped where nothing is mapped');
        for (const page of [0, 1, 2, 4]) expectNothing(device, pages, at(page), 'after the unmap');
        expectReaches(device, pages, at(3), 3, 'beyond the hole');
      });
    },
  },
];
