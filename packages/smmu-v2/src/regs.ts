// SPDX-License-Identifier: Apache-2.0
// Registers of an SMMUv1 or SMMUv2 by the space they are in. Arm IHI 0062, "Memory map and registers"; the Secure side, the
// performance monitors and the Secure status determination space are not here.

export * from './regs/global-space-0.js';
export * from './regs/global-space-1.js';
export * from './regs/context-bank.js';
export * from './regs/layout.js';
