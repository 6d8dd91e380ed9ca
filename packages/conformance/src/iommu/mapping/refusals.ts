// SPDX-License-Identifier: Apache-2.0
// What cannot be mapped is refused whole.

import { hex } from '@irqkit/bits';
import type { Iova, PhysAddr, UserDomain } from '@irqkit/core';
import { expectErrno, expectSame } from '../../expect/expect.js';
import type { IommuCheck, IommuSubject } from '../capabilities.js';
import { expectNothing, expectReaches } from '../expect-reach.js';
import { RW } from '../protections.js';
import type { DmaDevice } from '../rig/dma-device.js';
import { withIommu } from '../rig/iommu-stand.js';
import type { IommuStand } from '../rig/iommu-stand.js';

export const refusalChecks = (subject: IommuSubject): readonly IommuCheck[] => [
  {
    title: 'mapping over what is mapped is EEXIST, and changes nothing',
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        if (subject.supports('blocks')) overlapBlocks(stand, device, domain);
        const [bytes] = domain.pageSizes;
        const pages = stand.pages(8, bytes);
        const first = stand.iovaFor(device, domain, 8 * bytes, bytes);
        const at = (page: number) => (first + page * bytes) as Iova;
        domain.map(at(3), pages.pa(6), 2 * bytes, RW);
        for (const [from, nr] of [
          [3, 1],
          [4, 1],
          [3, 2],
          [1, 3],
          [4, 3],
          [1, 6],
        ])
          expectErrno(
            () => domain.map(at(from), pages.pa(0), nr * bytes, RW),
            'EEXIST',
            `mapping pages ${from} to ${from + nr - 1} where 3 and 4 are mapped`,
          );
        for (let page = 0; page < 8; page++) {
          const mapped = page === 3 || page === 4;
          const wanted = mapped ? pages.pa(page + 3) : undefined;
          expectSame(domain.iovaToPhys(at(page)), wanted, `iovaToPhys of page ${page} after overlaps were refused`);
          if (mapped) expectReaches(device, pages, at(page), page + 3, 'after overlaps were refused');
          else expectNothing(device, pages, at(page), 'after overlaps were refused');
        }
      });
    },
  },
  {
    title: 'what is misaligned is EINVAL: addresses and sizes that are no multiple of the smallest page',
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        const [bytes] = domain.pageSizes;
        const pages = stand.pages(2, bytes);
        const iova = stand.iovaFor(device, domain, 2 * bytes, bytes);
        for (const over of [1, bytes / 2, bytes - 1]) {
          const [badIova, badPa] = [(iova + over) as Iova, (pages.pa(0) + over) as PhysAddr];
          const by = `off by ${hex(over)}`;
          expectErrno(() => domain.map(badIova, pages.pa(0), bytes, RW), 'EINVAL', `mapping an IOVA ${by}`);
          expectErrno(() => domain.map(iova, badPa, bytes, RW), 'EINVAL', `mapping a physical address ${by}`);
          expectErrno(() => domain.map(iova, pages.pa(0), bytes + over, RW), 'EINVAL', `mapping a size ${by}`);
          expectErrno(() => domain.unmap(badIova, bytes), 'EINVAL', `unmapping an IOVA ${by}`);
          expectErrno(() => domain.unmap(iova, bytes + over), 'EINVAL', `unmapping a size ${by}`);
        }
        expectSame(domain.iovaToPhys(iova), undefined, 'iovaToPhys after all was refused');
        expectNothing(device, pages, iova, 'after all was refused');
      });
    },
  },
  {
    title: 'what leaves the aperture is ERANGE; its first and its last page are mapped and reached',
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        const { aperture, pageSizes } = domain;
        const [bytes] = pageSizes;
        const pages = stand.pages(2, bytes);
        const last = (aperture.last + 1 - bytes) as Iova;
        const outside: [number, number][] = [
          [last, 2 * bytes],
          [aperture.last + 1, bytes],
        ];
        for (const [at, size] of outside)
          expectErrno(
            () => domain.map(at as Iova, pages.pa(0), size, RW),
            'ERANGE',
            `mapping ${hex(size)} bytes at ${hex(at)}`,
          );
        expectSame(domain.iovaToPhys(last), undefined, 'iovaToPhys of the last page after all was refused');
        for (const [page, iova] of [aperture.first, last].entries()) {
          domain.map(iova, pages.pa(page), bytes, RW);
          expectSame(domain.iovaToPhys(iova), pages.pa(page), `iovaToPhys of ${hex(iova)}`);
          if (stand.isTranslated(device, iova, bytes))
            expectReaches(device, pages, iova, page, 'at an end of the aperture');
        }
      });
    },
  },
];

/** A page inside a block, and a block around a page, in addresses that are not used again. */
function overlapBlocks(stand: IommuStand, device: DmaDevice, domain: UserDomain): void {
  const [pageBytes, blockBytes] = domain.pageSizes;
  const first = stand.iovaFor(device, domain, 4 * blockBytes, blockBytes);
  const [block, second] = [(first + 2 * blockBytes) as Iova, (first + 3 * blockBytes) as Iova];
  // No device goes there.
  const pa = blockBytes as PhysAddr;
  const inBlock = (block + blockBytes / 2) as Iova;
  const page = (second + blockBytes - pageBytes) as Iova;
  domain.map(block, pa, blockBytes, RW);
  domain.map(page, pa, pageBytes, RW);
  expectErrno(() => domain.map(inBlock, pa, pageBytes, RW), 'EEXIST', 'mapping a page inside a block');
  expectErrno(() => domain.map(second, pa, blockBytes, RW), 'EEXIST', 'mapping a block around a page');
  expectSame(domain.iovaToPhys(inBlock), pa + blockBytes / 2, 'iovaToPhys inside the block');
  expectSame(domain.iovaToPhys(second), undefined, 'iovaToPhys where a block was refused');
  expectSame(domain.iovaToPhys(page), pa, 'iovaToPhys of the page that was in its way');
}
