// SPDX-License-Identifier: Apache-2.0
// Blocks: entries of the second page size, and what is left of one when a part of it goes.

import type { Iova, PhysAddr, UserDomain } from '@irqkit/core';
import { expectSame, expectThat } from '../../expect/expect.js';
import type { IommuCheck, IommuSubject } from '../capabilities.js';
import { expectNothing, expectReaches } from '../expect-reach.js';
import { RW } from '../protections.js';
import { withIommu } from '../rig/iommu-stand.js';

/** How many pages of a block are looked at, apart from its ends. */
const NR_SAMPLES = 16;

export const blockChecks = (subject: IommuSubject): readonly IommuCheck[] => [
  {
    title: 'of a block that is partly unmapped the rest stays, at every page',
    needs: ['blocks'],
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        const [pageBytes, blockBytes] = domain.pageSizes;
        const first = stand.iovaFor(device, domain, 3 * blockBytes, blockBytes);
        const nrPages = blockBytes / pageBytes;
        const hole = nrPages / 2;
        domain.map(first, blockBytes as PhysAddr, 3 * blockBytes, RW);
        const middle = (first + blockBytes + hole * pageBytes) as Iova;
        expectSame(domain.unmap(middle, 2 * pageBytes), 2 * pageBytes, 'bytes unmapped in the middle of a block');
        expectMapped(domain, first, 3 * nrPages, (page) => page !== nrPages + hole && page !== nrPages + hole + 1);
        const tail = (first + blockBytes - pageBytes) as Iova;
        expectSame(domain.unmap(tail, 2 * pageBytes), 2 * pageBytes, 'bytes unmapped across the ends of two blocks');
        const gone = new Set([nrPages - 1, nrPages, nrPages + hole, nrPages + hole + 1]);
        expectMapped(domain, first, 3 * nrPages, (page) => !gone.has(page));
        // The device has not been there before.
        const pages = stand.pages(1, pageBytes);
        for (const page of gone) expectNothing(device, pages, first + page * pageBytes, 'where a part of a block was');
      });
    },
  },
  {
    title: 'a block is reached at every page',
    needs: ['blocks'],
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        const [pageBytes, blockBytes] = domain.pageSizes;
        const nrPages = Math.min(blockBytes / pageBytes, NR_SAMPLES);
        const pages = stand.pages(nrPages, pageBytes);
        const first = stand.iovaFor(device, domain, blockBytes, blockBytes);
        // The memory is somewhere in the block that is mapped.
        const pa = (pages.pa(0) - (pages.pa(0) % blockBytes)) as PhysAddr;
        const start = (first + (pages.pa(0) - pa)) as Iova;
        const reached = Math.min(nrPages, (pa + blockBytes - pages.pa(0)) / pageBytes);
        expectThat(reached >= 2, () => 'the board gives no two pages that are in one block');
        domain.map(first, pa, blockBytes, RW);
        for (let page = 0; page < reached; page++)
          expectReaches(device, pages, start + page * pageBytes, page, `page ${page} of a block`);
      });
    },
  },
];

/** Every page of the run is mapped, block by block to where it was, but for those that `isThere` denies. */
function expectMapped(domain: UserDomain, first: Iova, nr: number, isThere: (page: number) => boolean): void {
  const [pageBytes, blockBytes] = domain.pageSizes;
  for (let page = 0; page < nr; page++) {
    const wanted = isThere(page) ? blockBytes + page * pageBytes : undefined;
    const seen = domain.iovaToPhys((first + page * pageBytes) as Iova);
    if (seen !== wanted) expectSame(seen, wanted, `iovaToPhys of page ${page}`);
  }
}
