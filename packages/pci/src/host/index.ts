// SPDX-License-Identifier: Apache-2.0
// What Linux's PCI core does: ECAM, enumeration, addresses, MSI and MSI-X.

export { isIsolated } from './acs.js';
export type { AcsFunction, AcsState } from './acs.js';
export { dmaAliases } from './dma-alias.js';
export type { AliasingBridge } from './dma-alias.js';
export { Ecam } from './ecam.js';
export { FunctionConfig } from './function-config.js';
export { pciDeviceGroup } from './pci-group.js';
export type { GroupedFunction } from './pci-group.js';
export type { PciBus } from './pci-bus.js';
export { PciDevice } from './pci-device.js';
export type { PciHostBridge } from './pci-host-bridge.js';
export { PciHostDriver } from './pci-host-driver.js';
export type { BridgeWindow, PciBar, ResourceKind } from './pci-resource.js';
export type { ConfigRegister } from '../regs.js';
