// SPDX-License-Identifier: Apache-2.0
// Arm GICv2: driver, model and description.

import { CORE_API, definePlugin } from '@irqkit/core';
import { gicV2Description } from './description.js';
import { GicV2Driver } from './driver/gic-v2-driver.js';
import { GicV2Model } from './model/gic-v2-model.js';
import { GIC400_SILICON, VIRT_SILICON } from './silicon.js';

/** GICs of this revision that Linux 6.1 drives by irq-gic.c and the binding arm,gic.yaml lists. */
const V2_COMPATIBLE = ['arm,cortex-a15-gic', 'arm,cortex-a7-gic', 'qcom,msm-qgic2'] as const;
/** Of revision 1, or without a model here: the driver needs nothing that they lack. */
const V1_COMPATIBLE = ['arm,cortex-a9-gic', 'arm,pl390', 'arm,arm1176jzf-devchip-gic', 'qcom,msm-8660-qgic'] as const;

export const gicV2 = definePlugin({
  name: '@irqkit/gic-v2',
  coreApi: CORE_API,
  irqChips: [{ compatible: ['arm,gic-400', ...V2_COMPATIBLE, ...V1_COMPATIBLE], useClass: GicV2Driver }],
  models: [
    { compatible: ['arm,gic-400'], silicon: GIC400_SILICON, useClass: GicV2Model },
    { compatible: V2_COMPATIBLE, silicon: VIRT_SILICON, useClass: GicV2Model },
  ],
  descriptions: [{ compatible: ['arm,gic-400', ...V2_COMPATIBLE, ...V1_COMPATIBLE], description: gicV2Description }],
});

export { GicV2Driver } from './driver/gic-v2-driver.js';
export { GicV2Model } from './model/gic-v2-model.js';
export { gicV2Description } from './description.js';
export { GIC400_SILICON, VIRT_SILICON } from './silicon.js';
export * as regs from './regs.js';
