// SPDX-License-Identifier: Apache-2.0
// Arm GICv3 Interrupt Translation Service: driver, model and description.

import { CORE_API, definePlugin } from '@irqkit/core';
import { gicV3ItsDescription } from './description/gic-v3-its-description.js';
import { GicV3ItsDriver } from './driver/gic-v3-its-driver.js';
import { ItsModel } from './model/its-model.js';
import { KVM_LAYOUT_SILICON } from './silicon.js';

const COMPATIBLE = ['arm,gic-v3-its'] as const;

export const gicV3Its = definePlugin({
  name: '@irqkit/gic-v3-its',
  coreApi: CORE_API,
  irqChips: [{ compatible: COMPATIBLE, useClass: GicV3ItsDriver }],
  models: [{ compatible: COMPATIBLE, silicon: KVM_LAYOUT_SILICON, useClass: ItsModel }],
  descriptions: [{ compatible: COMPATIBLE, description: gicV3ItsDescription }],
});

export { GicV3ItsDriver } from './driver/gic-v3-its-driver.js';
export { ItsModel } from './model/its-model.js';
export type { DropReason } from './model/translation.js';
export type { ItsError } from './model/its-error.js';
export { gicV3ItsDescription, itsDoorbell } from './description/gic-v3-its-description.js';
export { KVM_LAYOUT_SILICON, VIRT_SILICON } from './silicon.js';
export { KVM_REV0, LAYOUTS, QEMU_7_2 } from './layouts.js';
export type { EntryField, TableLayout } from './layouts.js';
export * as regs from './regs.js';
export * as commands from './commands.js';
