// SPDX-License-Identifier: Apache-2.0
// Arm GICv3: driver, model and description.

import { CORE_API, definePlugin } from '@irqkit/core';
import { gicV3Description } from './description/gic-v3-description.js';
import { GicV3Driver } from './driver/gic-v3-driver.js';
import { GicV3Model } from './model/gic-v3-model.js';
import { MSM8996_SILICON, VIRT_SILICON } from './silicon.js';

const COMPATIBLE = ['arm,gic-v3'] as const;
const MSM8996 = ['qcom,msm8996-gic-v3'] as const;

export const gicV3 = definePlugin({
  name: '@irqkit/gic-v3',
  coreApi: CORE_API,
  irqChips: [{ compatible: [...COMPATIBLE, ...MSM8996], useClass: GicV3Driver }],
  models: [
    { compatible: COMPATIBLE, silicon: VIRT_SILICON, useClass: GicV3Model },
    { compatible: MSM8996, silicon: MSM8996_SILICON, useClass: GicV3Model },
  ],
  descriptions: [{ compatible: [...COMPATIBLE, ...MSM8996], description: gicV3Description }],
});

export { GicV3Driver } from './driver/gic-v3-driver.js';
export { GicV3Model } from './model/gic-v3-model.js';
export { gicV3Description } from './description/gic-v3-description.js';
export { MSM8996_SILICON, VIRT_SILICON } from './silicon.js';
export { GIC_V3_VARIANTS } from './variants.js';
export type { GicV3Variant } from './variants.js';
export * as regs from './regs.js';
