// SPDX-License-Identifier: Apache-2.0
// What can be set about VFIO, as module parameters are, and which Linux answers.

/**
 * The Linux whose answers are given where versions differ: 6.12 aligns capabilities of GET_INFO to 8 bytes, refuses
 * nesting with EPERM, and a descriptor that is no container with EBADFD.
 */
export type LinuxVersion = '6.1' | '6.12';

/** Module parameters may be changed at any time, with effect from the next use. */
export interface VfioSettings {
  readonly kernel: LinuxVersion;
  /**
   * Whose interrupts must be isolated: those of the devices that are attached, or, as in Linux 6.1, of every irqchip of the
   * machine (R3, R18).
   */
  readonly msiIsolation: 'device' | 'machine';
  /** @linux vfio_iommu_type1.allow_unsafe_interrupts */
  allowUnsafeInterrupts: boolean;
  /** Maps page by page. @linux vfio_iommu_type1.disable_hugepages */
  disableHugepages: boolean;
  /** How many mappings a container takes; read at SET_IOMMU. @linux vfio_iommu_type1.dma_entry_limit */
  dmaEntryLimit: number;
}

export const DEFAULT_SETTINGS: VfioSettings = {
  kernel: '6.1',
  msiIsolation: 'device',
  allowUnsafeInterrupts: false,
  disableHugepages: false,
  dmaEntryLimit: 0xffff,
};
