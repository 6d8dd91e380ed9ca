// SPDX-License-Identifier: Apache-2.0
// What hardware remembers of a mapping is not used once the mapping has gone.

import type { Iova, PhysAddr, UserDomain } from '@irqkit/core';
import { expectSame, expectThat } from '../expect/expect.js';
import type { IommuCheck, IommuSubject } from './capabilities.js';
import { expectNothing, expectReaches } from './expect-reach.js';
import { RW } from './protections.js';
import type { DmaDevice } from './rig/dma-device.js';
import { withIommu } from './rig/iommu-stand.js';
import type { IommuStand } from './rig/iommu-stand.js';

const NR_PAGES = 6;

export const staleChecks = (subject: IommuSubject): readonly IommuCheck[] => [
  {
    title: 'after an unmap no access goes through that went through before; neighbours stay, and new mappings are seen',
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        unmapPages(stand, device, domain);
        mapAgain(stand, device, domain);
        if (subject.supports('blocks')) unmapBlocks(stand, device, domain);
      });
    },
  },
  {
    title: 'in a lazy DMA domain an address is not given out again before flushIotlbAll, and leads nowhere after it',
    run() {
      withIommu(
        subject,
        (stand) => {
          const device = stand.device();
          const domain = stand.iommus.dmaDomainOf(device);
          expectThat(
            domain?.flushQueue !== undefined,
            () => `${device.name}: it is in no DMA domain with a flush queue`,
          );
          const [bytes] = domain.pageSizes;
          const pages = stand.pages(2, bytes);
          const iova = domain.dmaMap(pages.pa(0), bytes, RW);
          expectReaches(device, pages, iova, 0, 'before the unmap');
          domain.dmaUnmap(iova, bytes);
          const next = domain.dmaMap(pages.pa(1), bytes, RW);
          expectThat(next !== iova, () => 'an address was given out again before it was flushed');
          expectReaches(device, pages, next, 1, 'while the unmapped page waits');
          domain.flushQueue.flush();
          expectNothing(device, pages, iova, 'after the flush');
          expectReaches(device, pages, next, 1, 'after the flush');
        },
        { strict: false },
      );
    },
  },
];

function unmapPages(stand: IommuStand, device: DmaDevice, domain: UserDomain): void {
  const [bytes] = domain.pageSizes;
  const pages = stand.pages(NR_PAGES, bytes);
  const first = stand.iovaFor(device, domain, NR_PAGES * bytes, bytes);
  const at = (page: number) => (first + page * bytes) as Iova;
  domain.map(first, pages.pa(0), NR_PAGES * bytes, RW);
  for (let page = 0; page < NR_PAGES; page++) expectReaches(device, pages, at(page), page, 'before the unmap');
  expectSame(domain.unmap(at(1), bytes), bytes, 'bytes unmapped');
  expectSame(domain.unmap(at(3), 2 * bytes), 2 * bytes, 'bytes unmapped');
  for (let page = 0; page < NR_PAGES; page++)
    if ([1, 3, 4].includes(page)) expectNothing(device, pages, at(page), `page ${page}, unmapped`);
    else expectReaches(device, pages, at(page), page, `page ${page}, whose neighbours were unmapped`);
  unmapAll(domain, first, NR_PAGES * bytes);
}

function mapAgain(stand: IommuStand, device: DmaDevice, domain: UserDomain): void {
  const [bytes] = domain.pageSizes;
  const pages = stand.pages(3, bytes);
  const iova = stand.iovaFor(device, domain, bytes, bytes);
  for (const page of [0, 1, 2]) {
    domain.map(iova, pages.pa(page), bytes, RW);
    expectReaches(device, pages, iova, page, `mapped to page ${page}`);
    domain.unmap(iova, bytes);
  }
}

function unmapBlocks(stand: IommuStand, device: DmaDevice, domain: UserDomain): void {
  const [pageBytes, blockBytes] = domain.pageSizes;
  const pages = stand.pages(2, pageBytes, 2 * pageBytes);
  const first = stand.iovaFor(device, domain, blockBytes, blockBytes);
  // The memory is somewhere in the block that is mapped.
  const pa = (pages.pa(0) - (pages.pa(0) % blockBytes)) as PhysAddr;
  const start = (first + (pages.pa(0) - pa)) as Iova;
  const second = (start + pageBytes) as Iova;
  const touch = (when: string) => {
    expectReaches(device, pages, start, 0, when);
    expectReaches(device, pages, second, 1, when);
  };
  domain.map(first, pa, blockBytes, RW);
  touch('a block');
  domain.unmap(start, pageBytes);
  expectNothing(device, pages, start, 'a part of a block, unmapped');
  domain.map(start, pages.pa(1), pageBytes, RW);
  expectReaches(device, pages, start, 1, 'a part of a block, mapped elsewhere');
  expectReaches(device, pages, second, 1, 'the rest of a block');
  unmapAll(domain, first, blockBytes);
  expectNothing(device, pages, second, 'the rest of a block, unmapped');
  domain.map(first, pa, blockBytes, RW);
  touch('a block that is mapped again');
  expectSame(domain.unmap(first, blockBytes), blockBytes, 'bytes unmapped of a block');
  expectNothing(device, pages, start, 'a block, unmapped');
  expectNothing(device, pages, second, 'a block, unmapped');
}

/** Over the holes of a range. */
function unmapAll(domain: UserDomain, first: Iova, sizeBytes: number): void {
  const [pageBytes] = domain.pageSizes;
  let at: number = first;
  while (at < first + sizeBytes) at += domain.unmap(at as Iova, first + sizeBytes - at) || pageBytes;
}
