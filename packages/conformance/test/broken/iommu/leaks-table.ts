// SPDX-License-Identifier: Apache-2.0
// Takes a table ahead for a run of pages, and keeps it where the map fails.

import type { Iova, PhysAddr } from '@irqkit/core';
import { ToyPagingDomain } from '../../toys/toy-iommu/domain.js';
import { PAGE_BYTES } from '../../toys/toy-iommu/regs.js';
import { toyIommu } from '../../toys/toy-iommu/toy-iommu.js';

class Leaking extends ToyPagingDomain {
  override mapPages(iova: Iova, pa: PhysAddr, pageBytes: number, count: number, prot: number): void {
    const ahead = count > 1 ? this.unit.memory.alloc(PAGE_BYTES) : undefined;
    super.mapPages(iova, pa, pageBytes, count, prot);
    if (ahead) this.unit.memory.free(ahead);
  }
}

export const leaksTable = toyIommu({ Domain: Leaking });
