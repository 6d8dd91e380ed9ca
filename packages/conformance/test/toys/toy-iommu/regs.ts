// SPDX-License-Identifier: Apache-2.0
// The registers and tables of a toy IOMMU, which is no silicon. It translates 256 MiB in two levels: blocks of 1 MiB, and
// pages of 4 KiB in tables of their own.

import { addr, field, word } from '@irqkit/bits';

/** Accesses fault while Enable is 0. */
export const CTRL = { offset: 0x000, Enable: field(0) } as const;
/** WO: whatever is written, translations made before are forgotten. */
export const INVALIDATE = { offset: 0x004 } as const;
/** One for each stream: two words, low then high. */
export const STREAM = { offset: 0x100, bytes: 8, MODE: word(1, 0), Table: addr(51, 12) } as const;
export const MODE = { BLOCK: 0, BYPASS: 1, TRANSLATE: 2 } as const;
export const NR_STREAMS = 32;

/** An entry of either level: two words. Table: the address is that of a table of pages. */
export const ENTRY = { bytes: 8, R: word(0), W: word(1), Table: word(2), Address: addr(51, 12) } as const;
export const NR_ENTRIES = 256;
export const PAGE_BYTES = 0x1000;
export const BLOCK_BYTES = NR_ENTRIES * PAGE_BYTES;
export const APERTURE_BYTES = NR_ENTRIES * BLOCK_BYTES;
