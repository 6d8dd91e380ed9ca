// SPDX-License-Identifier: Apache-2.0
// Whatever an IOMMU's driver takes may fail to be had: what was there before is there afterwards (REQUIREMENTS R7).

import { expectSame, expectThat } from '../expect/expect.js';
import type { Rig } from '../rig/rig.js';
import { sweep } from '../rig/sweep.js';
import type { IommuCheck, IommuSubject } from './capabilities.js';
import { expectNothing, expectReaches } from './expect-reach.js';
import { RW } from './protections.js';
import { IommuStand, withIommu, withIommuRigs } from './rig/iommu-stand.js';

export const faultChecks = (subject: IommuSubject): readonly IommuCheck[] => [
  {
    title: 'a probe that fails at any step leaves nothing behind, and the next one works',
    run() {
      withIommuRigs(subject, 1, (rig) => {
        const steps = sweep(rig, 'probing', { attempt: () => void rig.probe(), undo: () => rig.teardown() });
        expectThat(steps > 0, () => 'probing takes no resource at all');
        rig.probe();
        expectWorks(rig);
      });
    },
  },
  {
    title: 'taking a device in that fails at any step leaves nothing behind, and the next time works',
    run() {
      withIommu(subject, (stand) => {
        const { rig, iommus } = stand;
        // What the first device brings may stay, such as a second level of a table of devices.
        let device = stand.device();
        rig.close();
        sweep(rig, 'taking a device in', {
          attempt: () => void (device = stand.device()),
          undo: () => rig.close(),
          verify: (when) => {
            expectSame(iommus.groups, [], `groups ${when}`);
            expectSame(
              [device.iommuGroup, device.msiTranslation],
              [undefined, undefined],
              `what the device has ${when}`,
            );
          },
        });
        expectWorks(rig);
      });
    },
  },
];

/** A device behind the rig's IOMMU reaches what is mapped for it. */
function expectWorks(rig: Rig): void {
  const stand = new IommuStand(rig);
  const { device, domain } = stand.open();
  const pages = stand.pages(1, domain.pageSizes[0]);
  const iova = stand.iovaFor(device, domain, pages.pageBytes, pages.pageBytes);
  domain.map(iova, pages.pa(0), pages.pageBytes, RW);
  expectReaches(device, pages, iova, 0, 'after all faults');
  expectNothing(device, pages, iova + pages.pageBytes, 'after all faults');
}
