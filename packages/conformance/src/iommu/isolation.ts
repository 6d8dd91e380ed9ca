// SPDX-License-Identifier: Apache-2.0
// What is mapped for one device is not for another.

import { expectSame } from '../expect/expect.js';
import type { IommuCheck, IommuSubject } from './capabilities.js';
import { expectNothing, expectReaches } from './expect-reach.js';
import { RW } from './protections.js';
import { withIommu } from './rig/iommu-stand.js';

export const isolationChecks = (subject: IommuSubject): readonly IommuCheck[] => [
  {
    title: 'two devices in domains of their own each reach what is mapped for them alone',
    run() {
      withIommu(subject, (stand) => {
        const [one, other] = [stand.open(0), stand.open(1)];
        const [bytes] = one.domain.pageSizes;
        const pages = stand.pages(4, bytes);
        const shared = stand.iovaFor(one.device, one.domain, 3 * bytes, bytes);
        const [onlyOne, onlyOther] = [shared + bytes, shared + 2 * bytes].map((at) => at as typeof shared);
        one.domain.map(shared, pages.pa(0), bytes, RW);
        one.domain.map(onlyOne, pages.pa(1), bytes, RW);
        other.domain.map(shared, pages.pa(2), bytes, RW);
        other.domain.map(onlyOther, pages.pa(3), bytes, RW);
        for (const when of ['at first', 'after the other device was there']) {
          expectReaches(one.device, pages, shared, 0, when);
          expectReaches(other.device, pages, shared, 2, when);
          expectReaches(one.device, pages, onlyOne, 1, when);
          expectNothing(other.device, pages, onlyOne, when);
          expectReaches(other.device, pages, onlyOther, 3, when);
          expectNothing(one.device, pages, onlyOther, when);
        }
        expectSame(other.domain.iovaToPhys(onlyOne), undefined, 'iovaToPhys of what another domain has');
      });
    },
  },
  {
    title: 'two groups in one domain reach the same',
    run() {
      withIommu(subject, (stand) => {
        const { device: one, domain } = stand.open(0);
        const other = stand.device(1);
        const [bytes] = domain.pageSizes;
        const pages = stand.pages(1, bytes);
        const iova = stand.iovaFor(one, domain, bytes, bytes);
        domain.map(iova, pages.pa(0), bytes, RW);
        expectNothing(other, pages, iova, 'before it is attached');
        stand.attach(domain, other);
        for (const device of [one, other]) expectReaches(device, pages, iova, 0, 'in a domain with another group');
        stand.detach(domain, one);
        expectReaches(other, pages, iova, 0, 'after the other group has left');
      });
    },
  },
];
