// SPDX-License-Identifier: Apache-2.0
// Arm GICv2m MSI frames: driver, model and description.

import { CORE_API, definePlugin } from '@irqkit/core';
import { gicV2mDescription } from './description/gic-v2m-description.js';
import { GicV2mDriver } from './driver/gic-v2m-driver.js';
import { GicV2mModel } from './model.js';
import { VIRT_SILICON } from './silicon.js';
import { GRAVITON_COMPATIBLE } from './description/variants.js';

const COMPATIBLE = ['arm,gic-v2m-frame', GRAVITON_COMPATIBLE] as const;

export const gicV2m = definePlugin({
  name: '@irqkit/gic-v2m',
  coreApi: CORE_API,
  irqChips: [{ compatible: COMPATIBLE, useClass: GicV2mDriver }],
  models: [{ compatible: COMPATIBLE, silicon: VIRT_SILICON, useClass: GicV2mModel }],
  descriptions: [{ compatible: COMPATIBLE, description: gicV2mDescription }],
});

export { GicV2mDriver } from './driver/gic-v2m-driver.js';
export { GicV2mModel } from './model.js';
export { gicV2mDescription } from './description/gic-v2m-description.js';
export { VIRT_SILICON } from './silicon.js';
export { GRAVITON_COMPATIBLE, V2M_VARIANTS } from './description/variants.js';
export type { V2mVariant } from './description/variants.js';
export * as regs from './regs.js';
