// SPDX-License-Identifier: Apache-2.0
// Global register space 1 of an SMMUv1 or SMMUv2: one word for each context bank, in each of three arrays. Arm IHI 0062,
// "Global Register Space 1". Offsets are from the space's base, one page above the SMMU's.

import { field } from '@irqkit/bits';

/** What TYPE selects gives bits [15:8] and [31:24] their meaning. */
export const CBAR = {
  offset: 0x000,
  nr: 128,
  /** Stage 2 and stage 1 with stage 2 bypass. */
  VMID: field(7, 0),
  /** Stage 1 followed by stage 2: the context bank of stage 2. */
  CBNDX: field(15, 8),
  /** Stage 1 with stage 2 bypass. */
  BPSHCFG: field(9, 8),
  HYPC: field(10),
  FB: field(11),
  MemAttr: field(15, 12),
  TYPE: field(17, 16),
  BSU: field(19, 18),
  RACFG: field(21, 20),
  WACFG: field(23, 22),
  /** Which context interrupt the bank has: SMMUv1 alone, in SMMUv2 each bank has its own. */
  IRPTNDX: field(31, 24),
} as const;
export const CBFRSYNRA = { offset: 0x400, nr: 128, StreamID: field(15, 0), SSD_Index: field(31, 16) } as const;
/** SMMUv2 */
export const CBA2R = { offset: 0x800, nr: 128, VA64: field(0), MONC: field(1), VMID16: field(31, 16) } as const;

/** CBAR.TYPE: the last one is nested. */
export const CBAR_TYPE = {
  STAGE2: 0b00,
  STAGE1_BYPASS: 0b01,
  STAGE1_FAULT: 0b10,
  STAGE1_STAGE2: 0b11,
} as const;
/** CBAR.BPSHCFG */
export const BPSHCFG = { OUTER: 0b01, INNER: 0b10, NON: 0b11 } as const;
