// SPDX-License-Identifier: Apache-2.0
// The plugin of generic ECAM host bridges, and both its halves.

import { CORE_API, definePlugin } from '@irqkit/core';
import { PciHostDriver } from './host/index.js';
import { PciHostModel } from './model/index.js';

/** Drives and models `pci-host-ecam-generic`. */
export const pciHostGeneric = definePlugin({
  name: '@irqkit/pci',
  coreApi: CORE_API,
  buses: [{ compatible: ['pci-host-ecam-generic'], useClass: PciHostDriver }],
  models: [{ compatible: ['pci-host-ecam-generic'], useClass: PciHostModel }],
});

export * from './host/index.js';
export * from './model/index.js';
