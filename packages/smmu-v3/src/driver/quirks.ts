// SPDX-License-Identifier: Apache-2.0
// Implementations that need something else than the architecture says, as data. Sources: devicetree binding arm,smmu-v3.yaml
// (Linux 6.1) for the properties; Arm's errata notices for MMU-700, as Linux 6.1 handles them.

import type { FirmwareNode } from '@irqkit/core';
import { IIDR } from '../regs.js';

export interface SmmuQuirks {
  /** Commands that prefetch a configuration are not understood. @linux ARM_SMMU_OPT_SKIP_PREFETCH */
  readonly skipPrefetch: boolean;
  /** The registers of page 1 are in page 0. @linux ARM_SMMU_OPT_PAGE0_REGS_ONLY */
  readonly page0RegistersOnly: boolean;
  /** No more than so many commands between two SYNCs; undefined for any number. @linux ARM_SMMU_OPT_CMDQ_FORCE_SYNC */
  readonly maxUnsyncedCommands: number | undefined;
}

/** IIDR.Implementer of Arm. */
const ARM = 0x43b;
/** How many commands may stand between two SYNCs, by IIDR.ProductID. */
const MAX_UNSYNCED: Readonly<Record<number, number | undefined>> = {
  // MMU-700, erratum 2812531
  0x487: 63,
};

export function nodeQuirks(node: FirmwareNode): Omit<SmmuQuirks, 'maxUnsyncedCommands'> {
  return {
    skipPrefetch: node.has('hisilicon,broken-prefetch-cmd'),
    page0RegistersOnly: node.has('cavium,cn9900-broken-page1-regspace'),
  };
}

/** @linux arm_smmu_device_iidr_probe */
export function maxUnsyncedCommands(iidr: number): number | undefined {
  return IIDR.Implementer(iidr) === ARM ? MAX_UNSYNCED[IIDR.ProductID(iidr)] : undefined;
}
