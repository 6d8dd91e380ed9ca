// SPDX-License-Identifier: Apache-2.0
// What PCI silicon does: host bridge, bridges and endpoints.

export type { Bar, BarSpec } from './bar.js';
export { pciPciBridge, pciePciBridge, rootPort } from './bridges.js';
export type { RootPortOptions } from './bridges.js';
export { configImage } from './config-image.js';
export type { FunctionIdentity } from './config-image.js';
export type { ConfigRange, ConfigSpace } from './config-space.js';
export { EduLike, eduLike } from './edu-like.js';
export type { EduOptions } from './edu-like.js';
export { nicLike, nvmeLike } from './endpoints.js';
export type { EndpointOptions } from './endpoints.js';
export type { MsiCapability } from './msi-capability.js';
export type { MsixCapability } from './msix-capability.js';
export { PciBridgeModel } from './pci-bridge-model.js';
export type { BridgeWindows } from './pci-bridge-model.js';
export type { PciBusModel, PciRoot } from './pci-bus-model.js';
export { PciEndpoint } from './pci-endpoint.js';
export { PciFunctionModel } from './pci-function-model.js';
export type { AddressWindow } from './pci-function-model.js';
export { PciHostModel } from './pci-host-model.js';
export type { PciSlot } from './pci-slot.js';
export { shellFromRecord } from './shell.js';
export type { PciRecord } from './shell.js';
export { topologyFromRecords } from './topology.js';
export type { Upstream } from './upstream.js';
export type { ConfigRegister } from '../regs.js';
