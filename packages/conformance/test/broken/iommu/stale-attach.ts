// SPDX-License-Identifier: Apache-2.0
// Leaves what the hardware remembers of a device's former domain.

import type { Device } from '@irqkit/core';
import { ToyPagingDomain } from '../../toys/toy-iommu/domain.js';
import { MODE } from '../../toys/toy-iommu/regs.js';
import { toyIommu } from '../../toys/toy-iommu/toy-iommu.js';

class Lingering extends ToyPagingDomain {
  override attach(device: Device): void {
    this.unit.setStream(device, MODE.TRANSLATE, this.tableBase);
  }
}

export const staleAttach = toyIommu({ Domain: Lingering });
