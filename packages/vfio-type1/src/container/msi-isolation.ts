// SPDX-License-Identifier: Apache-2.0
// May user space have these devices: can one of them raise another's interrupt? (R3, R18)
// Source: the behaviour of Linux 6.1 vfio_iommu_type1_attach_group and, by device, iommu_group_has_isolated_msi of Linux 6.3.

import { hex } from '@irqkit/bits';
import { LinuxError, doorbellBases } from '@irqkit/core';
import type { Device, IommuGroup, MsiDoorbellInfo } from '@irqkit/core';
import type { VfioSystem } from '../vfio-system.js';

/** @throws LinuxError EPERM, naming the doorbell; never where unsafe interrupts are allowed */
export function refuseUnisolatedMsis({ host, settings }: VfioSystem, group: IommuGroup): void {
  if (settings.allowUnsafeInterrupts) return;
  const { doorbells, iommus } = host;
  const exposed = group.devices.filter((device) => !iommus.isolatesMsi(device));
  if (settings.msiIsolation === 'machine') {
    if (exposed.length > 0 && !doorbells.safe()) throw refusal(group, doorbells.all);
    return;
  }
  const device = exposed.find((each) => !doorbells.hasIsolatedMsi(each));
  if (device) throw refusal(group, device.msiDomain?.doorbells ?? [], device);
}

function refusal({ id }: IommuGroup, doorbells: readonly MsiDoorbellInfo[], device?: Device): LinuxError {
  const unsafe = doorbells.find((doorbell) => !doorbell.irqRemapping);
  const cause = unsafe
    ? `the doorbell at ${doorbellBases(unsafe).map(hex).join(', ')} does not tell devices apart`
    : 'it has no MSI domain';
  return new LinuxError('EPERM', `iommu group ${id}: ${device ? `${device.name}: ` : ''}${cause}`);
}
