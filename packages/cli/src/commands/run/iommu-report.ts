// SPDX-License-Identifier: Apache-2.0
// What stands between a device and memory: its IOMMU, its group's domain, and where it finds doorbells in it.

import type { Host } from '@irqkit/core';
import type { PciDevice } from '@irqkit/pci/host';
import type { BoundDoorbell, IommuReport } from './journey-report.js';

/** Undefined for a device that is behind none. */
export function iommuReport(host: Host, device: PciDevice): IommuReport | undefined {
  const group = device.iommuGroup;
  if (!group) return undefined;
  const domain = host.iommus.domainOf(group);
  return {
    path: domain.iommu.path,
    streamIds: device.iommuIds.map(({ id }) => id),
    group: group.id,
    domainType: domain.type,
    doorbells: boundDoorbells(host, device),
  };
}

/** Of the doorbells that its vectors hit; none where its messages are not translated. */
function boundDoorbells({ iommus }: Host, { iommuGroup, msiTranslation, msiDescs }: PciDevice): BoundDoorbell[] {
  if (!iommuGroup || !msiTranslation) return [];
  const domain = iommus.domainOf(iommuGroup);
  const addresses = [...new Set(msiDescs.map(({ msg }) => msg.address))];
  return addresses.flatMap((address) => {
    const iova = address as Parameters<typeof domain.iovaToPhys>[0];
    const pa = domain.iovaToPhys(iova);
    return pa === undefined ? [] : [{ iova, pa }];
  });
}
