// SPDX-License-Identifier: Apache-2.0
// A device is where it was attached last, and at once.

import type { Iova } from '@irqkit/core';
import { expectSame } from '../expect/expect.js';
import type { IommuCheck, IommuSubject } from './capabilities.js';
import { expectNothing, expectReaches } from './expect-reach.js';
import { RW } from './protections.js';
import { withIommu } from './rig/iommu-stand.js';

export const domainTypeChecks = (subject: IommuSubject): readonly IommuCheck[] => [
  {
    title: 'attached to another domain, and back in its default one, a device is moved at once',
    run() {
      withIommu(subject, (stand) => {
        const device = stand.device();
        const { iommus } = stand;
        const defaultDomain = iommus.defaultDomainOf(device.group);
        const dma = iommus.dmaDomainOf(device);
        const [first, second] = [stand.domain(device), stand.domain(device)];
        const [bytes] = first.pageSizes;
        const pages = stand.pages(3, bytes);
        const iova = dma ? dma.dmaMap(pages.pa(2), bytes, RW) : stand.iovaFor(device, first, bytes, bytes);
        first.map(iova, pages.pa(0), bytes, RW);
        second.map(iova, pages.pa(1), bytes, RW);
        for (const when of ['the first time', 'the second time']) {
          if (dma) expectReaches(device, pages, iova, 2, `in its default domain ${when}`);
          stand.attach(first, device);
          expectReaches(device, pages, iova, 0, `in a domain of its own ${when}`);
          stand.detach(first, device);
          stand.attach(second, device);
          expectReaches(device, pages, iova, 1, `in another domain ${when}`);
          stand.detach(second, device);
        }
        if (dma) expectReaches(device, pages, iova, 2, 'back in its default domain');
        expectSame(iommus.domainOf(device.group) === defaultDomain, true, 'that it is back in its default domain');
      });
    },
  },
  {
    title:
      'what is mapped in a domain before a device is attached is reached after, and unmapped while it is away is not',
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        const [bytes] = domain.pageSizes;
        const pages = stand.pages(2, bytes);
        const first = stand.iovaFor(device, domain, 2 * bytes, bytes);
        const second = (first + bytes) as Iova;
        domain.map(first, pages.pa(0), bytes, RW);
        expectReaches(device, pages, first, 0, 'while it is attached');
        stand.detach(domain, device);
        domain.unmap(first, bytes);
        domain.map(second, pages.pa(1), bytes, RW);
        stand.attach(domain, device);
        expectNothing(device, pages, first, 'unmapped while it was away');
        expectReaches(device, pages, second, 1, 'mapped while it was away');
      });
    },
  },
  {
    title: 'in an identity domain a device reaches memory by its own addresses',
    needs: ['identity'],
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        const [bytes] = domain.pageSizes;
        const pages = stand.pages(2, bytes);
        const iova = stand.iovaFor(device, domain, bytes, bytes);
        domain.map(iova, pages.pa(0), bytes, RW);
        expectReaches(device, pages, iova, 0, 'before it is attached to an identity domain');
        stand.detach(domain, device);
        const identity = stand.domain(device, 'identity');
        stand.attach(identity, device);
        for (const page of [0, 1]) expectReaches(device, pages, pages.pa(page), page, 'in an identity domain');
        stand.detach(identity, device);
        stand.attach(domain, device);
        expectReaches(device, pages, iova, 0, 'after it was in an identity domain');
        if (iova - pages.pa(1) !== 0) expectNothing(device, pages, pages.pa(1), 'after it was in an identity domain');
      });
    },
  },
  {
    title: 'in a blocked domain a device reaches nothing',
    needs: ['blocked'],
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        const [bytes] = domain.pageSizes;
        const pages = stand.pages(1, bytes);
        const iova = stand.iovaFor(device, domain, bytes, bytes);
        domain.map(iova, pages.pa(0), bytes, RW);
        expectReaches(device, pages, iova, 0, 'before it is attached to a blocked domain');
        stand.detach(domain, device);
        const blocked = stand.domain(device, 'blocked');
        stand.attach(blocked, device);
        for (const at of [iova, pages.pa(0)]) expectNothing(device, pages, at, 'in a blocked domain');
        stand.detach(blocked, device);
        stand.attach(domain, device);
        expectReaches(device, pages, iova, 0, 'after it was in a blocked domain');
      });
    },
  },
];
