// SPDX-License-Identifier: Apache-2.0
// Records that are not compared, each with its reason: the recording's own machine shows in them, not VFIO. None is an ioctl.

export interface Exclusion {
  readonly scenario: string;
  readonly call: string;
  /** Position in its scenario. */
  readonly n: number;
  readonly reason: string;
}

const DMA = '1-default-params/dma';
const EDU = '1-default-params/edu';
const LOCK_LIMIT = "the kernel's own text for a MAP_DMA that failed; its errno is compared at the call";

export const EXCLUSIONS: readonly Exclusion[] = [
  { scenario: DMA, call: 'kmsg', n: 172, reason: LOCK_LIMIT },
  {
    scenario: EDU,
    call: 'bar-mmap',
    n: 21,
    reason: 'reads the identification register of the device; a shell has its configuration space and MSI-X only',
  },
  {
    scenario: EDU,
    call: 'kmsg',
    n: 56,
    reason: 'QEMU records no event for an IOVA of 2^48 and above, which is outside its IOMMU region; an SMMU does',
  },
  {
    scenario: EDU,
    call: 'eventfd-read',
    n: 75,
    reason:
      "DMA of QEMU's edu reaches the ITS as requester 0, so that the device's own message, forged, is dropped there",
  },
];
