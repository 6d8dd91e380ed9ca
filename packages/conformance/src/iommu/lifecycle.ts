// SPDX-License-Identifier: Apache-2.0
// What is taken is given back, and can be taken again.

import { expectSame } from '../expect/expect.js';
import { expectDrives, expectFrozen } from '../rig/expect-plugin.js';
import type { IommuCheck, IommuSubject } from './capabilities.js';
import { expectReaches, expectUntouched } from './expect-reach.js';
import { RW } from './protections.js';
import { IommuStand, withIommu, withIommuRigs } from './rig/iommu-stand.js';

/** More than a space of 8-bit ids holds. */
const MANY_DOMAINS = 300;

export const lifecycleChecks = (subject: IommuSubject): readonly IommuCheck[] => [
  {
    title: 'is frozen data',
    run() {
      expectFrozen(subject.plugin);
    },
  },
  {
    title: 'is what drives the node under test',
    run() {
      withIommu(subject, ({ rig }) => expectDrives(rig, subject.plugin));
    },
  },
  {
    title: 'teardown leaves nothing behind, devices then reach nothing that was mapped, and it probes again',
    run() {
      withIommuRigs(subject, 1, (rig) => {
        for (const when of ['after the first teardown', 'after the second teardown']) {
          const before = rig.taken;
          rig.probe();
          const stand = new IommuStand(rig);
          const { device, domain } = stand.open();
          const pages = stand.pages(1, domain.pageSizes[0]);
          const iova = stand.iovaFor(device, domain, pages.pageBytes, pages.pageBytes);
          domain.map(iova, pages.pa(0), pages.pageBytes, RW);
          expectReaches(device, pages, iova, 0, `before ${when}`);
          rig.teardown();
          rig.expectTaken(before, when);
          expectUntouched(device, pages, iova, when);
        }
      });
    },
  },
  {
    title: 'a device that was let go reaches nothing that was mapped for it, and is taken in again',
    run() {
      withIommu(subject, (stand) => {
        const { rig, iommus } = stand;
        // What the first device brings may stay, such as a second level of a table of devices.
        stand.device();
        rig.close();
        const before = rig.taken;
        for (const when of ['after it was let go', 'after it was let go again']) {
          const device = stand.device();
          const dma = iommus.dmaDomainOf(device);
          if (!dma) return;
          const pages = stand.pages(1, dma.pageSizes[0]);
          const iova = dma.dmaMap(pages.pa(0), pages.pageBytes, RW);
          expectReaches(device, pages, iova, 0, `before ${when}`);
          iommus.dmaUnconfigure(device);
          rig.expectTaken(before, when);
          expectUntouched(device, pages, iova, when);
        }
      });
    },
  },
  {
    title: `domains that were freed leave room for others: ${MANY_DOMAINS}, one after another`,
    run() {
      withIommu(subject, (stand) => {
        const device = stand.device();
        const before = stand.rig.taken;
        for (let i = 0; i < MANY_DOMAINS; i++) {
          const domain = stand.domain(device);
          stand.attach(domain, device);
          stand.detach(domain, device);
          stand.free(domain);
        }
        stand.rig.expectTaken(before, `after ${MANY_DOMAINS} domains were freed`);
      });
    },
  },
  {
    title: 'two hosts share nothing',
    run() {
      withIommuRigs(subject, 2, (one, other) => {
        const [busy, next] = [one, other].map((rig) => {
          rig.probe();
          const stand = new IommuStand(rig);
          return { stand, ...stand.open() };
        });
        const [sizeBytes] = busy.domain.pageSizes;
        const pages = [busy, next].map(({ stand }) => stand.pages(2, sizeBytes));
        const iova = busy.stand.iovaFor(busy.device, busy.domain, sizeBytes, sizeBytes);
        busy.domain.map(iova, pages[0].pa(0), sizeBytes, RW);
        expectReaches(busy.device, pages[0], iova, 0, 'while another host has mapped nothing');
        expectSame(next.domain.iovaToPhys(iova), undefined, 'what another host has mapped');
        next.domain.map(iova, pages[1].pa(1), sizeBytes, RW);
        expectReaches(next.device, pages[1], iova, 1, 'while another host has the same address mapped');
        one.teardown();
        expectReaches(next.device, pages[1], iova, 1, 'after another host was torn down');
      });
    },
  },
];
