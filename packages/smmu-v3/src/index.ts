// SPDX-License-Identifier: Apache-2.0
// Arm SMMUv3: driver, model and description.

import { CORE_API, definePlugin } from '@irqkit/core';
import { smmuV3Description } from './description/smmu-v3-description.js';
import { SmmuV3Driver } from './driver/smmu-v3-driver.js';
import { SmmuV3Model } from './model/smmu-v3-model.js';
import { VIRT_SILICON } from './silicon.js';

const COMPATIBLE = ['arm,smmu-v3'] as const;

export const smmuV3 = definePlugin({
  name: '@irqkit/smmu-v3',
  coreApi: CORE_API,
  iommus: [{ compatible: COMPATIBLE, useClass: SmmuV3Driver }],
  models: [{ compatible: COMPATIBLE, silicon: VIRT_SILICON, useClass: SmmuV3Model }],
  descriptions: [{ compatible: COMPATIBLE, description: smmuV3Description }],
});

export { smmuV3Description } from './description/smmu-v3-description.js';
export type { FaultListener } from './driver/fault-reports.js';
export type { SmmuFeatures } from './driver/smmu-features.js';
export type { FaultClass, SmmuFault } from './driver/smmu-fault.js';
export { describeFault } from './driver/smmu-fault.js';
export { SmmuV3Driver } from './driver/smmu-v3-driver.js';
export { SmmuV3Model } from './model/smmu-v3-model.js';
export type { Translate } from './model/fast-path.js';
export { ABORTED } from './model/translation.js';
export { VIRT_NESTED_SILICON, VIRT_SILICON, VIRT_STAGE2_SILICON } from './silicon.js';
export * as regs from './regs.js';
export * as commands from './commands.js';
export * as layouts from './layouts.js';
