// SPDX-License-Identifier: Apache-2.0
// A doorbell: the registers a device writes to raise an MSI. Source: "KVM PCIe/MSI passthrough on ARM/ARM64", part 2/3, v11.

import type { PhysAddr } from './address.js';

interface DoorbellFacts {
  /** Bytes from the base that messages can hit. */
  readonly sizeBytes: number;
  /** IOMMU_PROT bits a mapping of it needs. */
  readonly prot: number;
  /** True where the controller tells devices apart, so that none can raise another's interrupt. */
  readonly irqRemapping: boolean;
}

/** One doorbell for all processors. */
export interface GlobalDoorbell extends DoorbellFacts {
  readonly globalDoorbell: PhysAddr;
}

/** One doorbell for each possible processor, by its number. */
export interface PercpuDoorbells extends DoorbellFacts {
  readonly percpuDoorbells: readonly PhysAddr[];
}

/** @linux struct irq_chip_msi_doorbell_info (v11) */
export type MsiDoorbellInfo = GlobalDoorbell | PercpuDoorbells;

/** Every base address of a doorbell, one for a global one. */
export function doorbellBases(info: MsiDoorbellInfo): readonly PhysAddr[] {
  return 'globalDoorbell' in info ? [info.globalDoorbell] : info.percpuDoorbells;
}
