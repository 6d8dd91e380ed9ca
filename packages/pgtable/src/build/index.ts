// SPDX-License-Identifier: Apache-2.0
// Translation tables for drivers: built in DMA memory, never read back but by hardware.

export { createPageTable } from './create-page-table.js';
export { chooseGranule, CPU_PAGE_BYTES } from './page-sizes.js';
export type { GranuleBytes, PageTable, PageTableOptions, Stage1Registers, Stage2Registers } from './page-table.js';
export { TablePool } from './table-pool.js';
