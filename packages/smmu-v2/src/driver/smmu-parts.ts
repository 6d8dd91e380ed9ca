// SPDX-License-Identifier: Apache-2.0
// What the domains of one SMMU share.

import type { TablePool } from '@irqkit/pgtable/build';
import type { ContextBanks } from './context-banks.js';
import type { FaultReports } from './fault-reports.js';
import type { SmmuInterrupts } from './interrupts.js';
import type { Masters } from './masters.js';
import type { SmmuUnit } from './smmu-unit.js';
import type { Tlb } from './tlb.js';

export interface SmmuParts {
  readonly unit: SmmuUnit;
  readonly tlb: Tlb;
  readonly masters: Masters;
  readonly banks: ContextBanks;
  readonly interrupts: SmmuInterrupts;
  readonly faults: FaultReports;
  readonly tables: TablePool;
}
