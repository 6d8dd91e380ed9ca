// SPDX-License-Identifier: Apache-2.0
// The registers of the kit's plain controller, which is no silicon: one frame of 4 KiB.

/** The INTID that says there is none. */
export const NONE = 1023;
/** INTIDs are below this. */
export const NR_INTIDS = 512;
/** Inputs are INTIDs from here on, as a GIC's SPIs are. */
export const FIRST_INPUT = 32;

/** RO: takes the lowest INTID that is pending, enabled and not being served, on the processor that reads. */
export const ACK = { offset: 0x000 } as const;
/** WO: the end of the INTID written. */
export const END = { offset: 0x004 } as const;
/** One byte for each INTID: 1 lets it through. */
export const ENABLE = { offset: 0x200 } as const;
/** One byte for each INTID: the processor it goes to. */
export const TARGET = { offset: 0x400 } as const;
/** One byte for each INTID: 1 where it is pending as long as its input is high, 0 where a rise makes it pending. */
export const LEVEL = { offset: 0x600 } as const;
