// SPDX-License-Identifier: Apache-2.0
// Where doorbells go in a container's address space (R15, R16).

/**
 * `sw-msi`: in the window that the IOMMU reserves, as in Linux since 4.10. `user`: where user space says by MAP_DMA with
 * RESERVED_MSI_IOVA, as in the v11 series.
 */
export type WindowPolicy = 'sw-msi' | 'user';
