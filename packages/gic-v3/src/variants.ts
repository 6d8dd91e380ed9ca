// SPDX-License-Identifier: Apache-2.0
// Known silicon that needs other accesses than the architecture's. Facts: Linux 6.1 drivers/irqchip/irq-gic-v3.c.

import type { FirmwareNode } from '@irqkit/core';

export interface GicV3Variant {
  readonly name: string;
  readonly compatible?: string;
  /** GICR_WAKER must not be touched: firmware has woken the Redistributors. */
  readonly skipsWaker: boolean;
}

const ARM_GIC_V3: GicV3Variant = { name: 'arm', skipsWaker: false };

export const GIC_V3_VARIANTS: readonly GicV3Variant[] = [
  { name: 'qcom-msm8996', compatible: 'qcom,msm8996-gic-v3', skipsWaker: true },
];

/** The variant that firmware names, or the architecture's. */
export function variantOf(node: FirmwareNode): GicV3Variant {
  const found = GIC_V3_VARIANTS.find(
    ({ compatible }) => compatible !== undefined && node.compatible.includes(compatible),
  );
  return found ?? ARM_GIC_V3;
}
