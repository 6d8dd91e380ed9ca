// SPDX-License-Identifier: Apache-2.0
// The kit that the author of a plugin runs, one entry for each role a plugin can have.

// UNIMP: entries for descriptions, firmware and buses
export { devicetree } from './devicetree.js';
export type { DevicetreeNode, PropertyValue } from './devicetree.js';
export { testIommu } from './iommu/index.js';
export type { IommuCapability, IommuMachine, IommuOptions } from './iommu/index.js';
export { testIrqChip } from './irq-chip/index.js';
export type { IrqChipCapability, IrqChipOptions } from './irq-chip/index.js';
export { testModel } from './model/index.js';
export type { IntidRange, ModelCapability, ModelMachine, ModelOptions } from './model/index.js';
export { plainController, plainLpiController } from './parent/index.js';
export type { Machine, Setup } from './machine.js';
export type { Unsupported } from './suite.js';
export type { TestFramework } from './test-framework.js';
