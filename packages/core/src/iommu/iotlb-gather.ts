// SPDX-License-Identifier: Apache-2.0
// Unmapped ranges whose invalidation waits, so that neighbours are invalidated together.

import type { Iova } from '../contracts/address.js';
import type { IotlbGather as IotlbGatherContract } from '../contracts/iommu.js';

const NOTHING = Number.MAX_SAFE_INTEGER;

/** Its fields are written by its methods only. @linux struct iommu_iotlb_gather, iommu_iotlb_gather_add_page */
export class IotlbGather implements IotlbGatherContract {
  first = NOTHING;
  last = 0;
  pageBytes = 0;
  readonly queued: boolean;

  /** `queued`: a flush queue invalidates everything later, so every run is taken and none recorded. */
  constructor(queued = false) {
    this.queued = queued;
  }

  add(iova: Iova, sizeBytes: number, pageBytes: number): boolean {
    if (this.queued || sizeBytes === 0) return true;
    const last = iova + sizeBytes - 1;
    const isEmpty = this.pageBytes === 0;
    const touches = iova <= this.last + 1 && last + 1 >= this.first;
    if (!isEmpty && (this.pageBytes !== pageBytes || !touches)) return false;
    this.first = Math.min(this.first, iova);
    this.last = Math.max(this.last, last);
    this.pageBytes = pageBytes;
    return true;
  }

  reset(): void {
    this.first = NOTHING;
    this.last = 0;
    this.pageBytes = 0;
  }
}
