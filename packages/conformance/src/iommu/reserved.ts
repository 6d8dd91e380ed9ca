// SPDX-License-Identifier: Apache-2.0
// Reserved regions are reported sanely, and a DMA domain keeps out of them (REQUIREMENTS R14, R16).

import { hex, isAligned } from '@irqkit/bits';
import type { DmaDomain, IommuResvRegion } from '@irqkit/core';
import { expectThat, thrownBy } from '../expect/expect.js';
import type { IommuCheck, IommuSubject } from './capabilities.js';
import { RW } from './protections.js';
import { regionAt, withIommu } from './rig/iommu-stand.js';
import type { Pages } from './rig/pages.js';

/** Asked of the domain near each region. */
const NR_MAPPINGS = 4;

export const reservedChecks = (subject: IommuSubject): readonly IommuCheck[] => [
  {
    title: 'its reserved regions are whole pages, in ascending order and without overlap, and one is for doorbells',
    run() {
      withIommu(subject, (stand) => {
        const { device, domain } = stand.open();
        const regions = stand.iommus.resvRegions(device);
        for (const [i, region] of regions.entries()) {
          const { base, sizeBytes, type, prot } = region;
          const isWhole = sizeBytes > 0 && [base, sizeBytes].every((value) => isAligned(value, domain.pageSizes[0]));
          expectThat(isWhole, () => `${show(region)} is not one of whole pages`);
          const isMapped = type === 'direct' || type === 'direct-relaxable';
          expectThat(isMapped === prot > 0, () => `${show(region)} has the protection ${prot}`);
          const before = regions[i - 1] as IommuResvRegion | undefined;
          const isAfter = before === undefined || before.base + before.sizeBytes <= base;
          expectThat(isAfter, () => `${show(region)} comes after ${before && show(before)}`);
        }
        const isForDoorbells = regions.some(({ type }) => type === 'msi' || type === 'sw-msi');
        expectThat(isForDoorbells, () => `${stand.rig.machine.path}: no region is for doorbells`);
      });
    },
  },
  {
    title: 'a DMA domain hands out no address that is reserved',
    run() {
      withIommu(subject, (stand) => {
        const device = stand.device();
        const domain = stand.iommus.dmaDomainOf(device);
        expectThat(domain !== undefined, () => `${device.name}: its default domain is no DMA domain`);
        const regions = stand.iommus.resvRegions(device).filter(({ type }) => type !== 'sw-msi');
        const pages = stand.pages(1, domain.pageSizes[0]);
        for (let i = 0; i < NR_MAPPINGS; i++) expectFree(domain, pages, regions, undefined);
        for (const region of regions) for (let i = 0; i < NR_MAPPINGS; i++) expectFree(domain, pages, regions, region);
      });
    },
  },
];

/** Maps a page as high as `below` would end, where it is not reserved. */
function expectFree(
  domain: DmaDomain,
  pages: Pages,
  regions: readonly IommuResvRegion[],
  below: IommuResvRegion | undefined,
): void {
  const last = below && ((below.base + below.sizeBytes - 1) as IommuResvRegion['base']);
  if (last !== undefined && last > domain.aperture.last) return;
  let iova: number | undefined;
  const error = thrownBy(() => (iova = domain.dmaMap(pages.pa(0), pages.pageBytes, RW, last)));
  if (iova === undefined) return expectThat(last !== undefined, () => `a DMA domain that is empty: ${error?.message}`);
  const region = regionAt(regions, iova, pages.pageBytes);
  expectThat(!region, () => `${hex(iova ?? 0)} was handed out, which is in ${region && show(region)}`);
}

function show({ base, sizeBytes, type }: IommuResvRegion): string {
  return `the ${type} region of ${hex(sizeBytes)} bytes at ${hex(base)}`;
}
