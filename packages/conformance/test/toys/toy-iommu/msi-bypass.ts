// SPDX-License-Identifier: Apache-2.0
// A toy IOMMU that lets through what goes to the MSI controllers: everything below 16 MiB.

import { iova } from '@irqkit/core';
import type { Requester } from '@irqkit/core';
import { ToyIommuModel } from './model.js';
import { toyIommu } from './toy-iommu.js';

const WINDOW_BYTES = 0x100_0000;

class Bypassing extends ToyIommuModel {
  override translate(by: Requester, address: number, write: boolean): number {
    return address < WINDOW_BYTES ? address : super.translate(by, address, write);
  }
}

export const msiBypass = toyIommu({
  Model: Bypassing,
  regions: [{ base: iova(0), sizeBytes: WINDOW_BYTES, type: 'msi', prot: 0 }],
  translatesMsi: false,
});
