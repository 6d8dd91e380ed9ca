// SPDX-License-Identifier: Apache-2.0
// What the invalidation oracle does not say of its machine: as in the walks recorded with it.

import { lowWord } from '@irqkit/bits';
import { layouts } from '@irqkit/smmu-v3';
import type { Pair } from './walks.js';

const { STE, STE_CONFIG } = layouts;

const STREAM_TABLE = 0x4140_0000;

/** A linear stream table of 256 entries, and every queue on. */
export const RECORDED_REGISTERS: Readonly<Record<string, Pair>> = {
  STRTAB_BASE: [STREAM_TABLE, 0],
  STRTAB_BASE_CFG: [8, 0],
  CR1: [0xd75, 0],
  CR0: [0xd, 0],
};

/** Where the STE of a stream is, and the CD that it points to: stage 2 takes its tables 4 GiB down. */
export function recordedPlaces(ste: Uint32Array, streamId: number): { stePa: number; cdPa: number | undefined } {
  const stePa = STREAM_TABLE + streamId * STE.bytes;
  const config = STE.Config(ste);
  const hasCd = config === STE_CONFIG.S1 || config === STE_CONFIG.NESTED;
  return { stePa, cdPa: hasCd ? lowWord(STE.S1ContextPtr(ste)) : undefined };
}
