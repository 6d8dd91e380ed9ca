// SPDX-License-Identifier: Apache-2.0
// One SMMU as the parts of its driver share it.

import type { HostLog, MmioRegion, OwnedMemory } from '@irqkit/core';
import type { SmmuFeatures } from './smmu-features.js';
import type { SmmuVariant } from './variants.js';

export interface SmmuUnit {
  /** The node's. */
  readonly path: string;
  readonly registers: MmioRegion;
  readonly memory: OwnedMemory;
  readonly variant: SmmuVariant;
  readonly features: SmmuFeatures;
  /** Firmware says that it sees the processors' caches. */
  readonly coherent: boolean;
  readonly log: HostLog;
}

/** The offset of a context bank's registers. */
export function bankOffset({ features: { layout } }: SmmuUnit, bank: number): number {
  return layout.contextBanks + bank * layout.pageBytes;
}

/** Writes a 64-bit register as the variant takes it. */
export function writeDoubleword({ registers, variant }: SmmuUnit, offset: number, lo: number, hi: number): void {
  if (!variant.splitsDoublewords) return registers.write64(offset, lo, hi);
  registers.write(offset + 4, hi, 4);
  registers.write(offset, lo, 4);
}

/** Exact below 2^53. */
export function readDoubleword({ registers }: SmmuUnit, offset: number): number {
  return registers.read(offset, 4) + registers.read(offset + 4, 4) * 2 ** 32;
}
