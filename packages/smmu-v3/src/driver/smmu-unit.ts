// SPDX-License-Identifier: Apache-2.0
// One SMMU as the parts of its driver share it.

import type { HostLog, MmioRegion, OwnedMemory } from '@irqkit/core';
import type { SmmuFeatures } from './smmu-features.js';

export interface SmmuUnit {
  /** The node's. */
  readonly path: string;
  readonly registers: MmioRegion;
  /** What a register of page 1 is to be moved by: 0, or minus 64 KiB where page 0 has it. */
  readonly page1Shift: number;
  readonly memory: OwnedMemory;
  readonly features: SmmuFeatures;
  /** Firmware says that it sees the processors' caches. */
  readonly coherent: boolean;
  readonly skipPrefetch: boolean;
  readonly log: HostLog;
}
