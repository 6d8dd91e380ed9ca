// SPDX-License-Identifier: Apache-2.0
// What the domains of one SMMU share.

import type { TablePool } from '@irqkit/pgtable/build';
import type { CommandQueue } from './command-queue.js';
import type { IdSpace } from './id-space.js';
import type { Masters } from './masters.js';
import type { SmmuUnit } from './smmu-unit.js';

export interface SmmuParts {
  readonly unit: SmmuUnit;
  readonly queue: CommandQueue;
  readonly masters: Masters;
  readonly asids: IdSpace;
  /** VMID 0 stands for stage 1 alone, and for bypass. */
  readonly vmids: IdSpace;
  readonly tables: TablePool;
}
