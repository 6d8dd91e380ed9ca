// SPDX-License-Identifier: Apache-2.0
// Ids that a device cannot have are refused, and nothing is taken.

import { expectErrno, expectThat } from '../expect/expect.js';
import type { IommuCheck, IommuSubject } from './capabilities.js';
import { expectReaches } from './expect-reach.js';
import { RW } from './protections.js';
import { DmaDevice } from './rig/dma-device.js';
import { withIommu } from './rig/iommu-stand.js';

/** The kit's own devices come before those with foreign ids. */
const FIRST_FOREIGN = 2;

export const idChecks = (subject: IommuSubject): readonly IommuCheck[] => [
  {
    title: 'an id that belongs to another device is EINVAL, and leaves that device as it was',
    needs: ['exclusive-ids'],
    run() {
      withIommu(subject, (stand) => {
        const { rig, iommus } = stand;
        const { device, domain } = stand.open();
        const pages = stand.pages(1, domain.pageSizes[0]);
        const iova = stand.iovaFor(device, domain, pages.pageBytes, pages.pageBytes);
        domain.map(iova, pages.pa(0), pages.pageBytes, RW);
        const before = rig.taken;
        const twin = new DmaDevice(rig, device.requesterId, 'a device with the same id');
        expectErrno(() => iommus.dmaConfigure(twin), 'EINVAL', 'taking in a device with an id that is taken');
        rig.expectTaken(before, 'after a device was refused');
        expectThat(twin.iommuGroup === undefined, () => 'a device that was refused has a group');
        expectReaches(device, pages, iova, 0, 'after another device was refused');
      });
    },
  },
  {
    title: 'an id that the hardware does not have is ERANGE, and nothing is taken',
    needs: ['foreign-ids'],
    run() {
      withIommu(subject, (stand) => {
        const { rig, iommus } = stand;
        const { foreignStreamIds = [] } = subject.setup();
        expectThat(foreignStreamIds.length > 0, () => `${rig.machine.path}: the machine must name a foreign id`);
        stand.device();
        const before = rig.taken;
        for (const [i, id] of foreignStreamIds.entries()) {
          const device = new DmaDevice(rig, FIRST_FOREIGN + i);
          expectErrno(() => iommus.dmaConfigure(device), 'ERANGE', `taking in a device with the id ${id}`);
          rig.expectTaken(before, `after a device with the id ${id} was refused`);
        }
      });
    },
  },
];
