// SPDX-License-Identifier: Apache-2.0
// Bridges by what they stand between, identified as QEMU's generic ones.

import { ACS, CLASS_CODE, DEVICE_PORT_TYPE } from '../regs.js';
import { configImage } from './config-image.js';
import { PciBridgeModel } from './pci-bridge-model.js';

export interface RootPortOptions {
  /** False for a port without Access Control Services. */
  readonly acs?: boolean;
}

// Source Validation, Translation Blocking, both P2P redirects, Upstream Forwarding and Direct Translated P2P.
const PORT_ACS = ACS.controls.mask & ~ACS.P2P_Egress_Control.mask;

/** A PCI Express root port: one device behind it, and one MSI-X vector of its own. */
export function rootPort({ acs = true }: RootPortOptions = {}): PciBridgeModel {
  const image = configImage({
    vendorId: 0x1b36,
    deviceId: 0x000c,
    classCode: CLASS_CODE.PCI_BRIDGE,
    interruptPin: 1,
    bridge: true,
    express: { portType: DEVICE_PORT_TYPE.ROOT_PORT },
    msix: { vectors: 1, bar: 0, tableOffset: 0, pbaOffset: 0x800 },
    ...(acs && { acs: PORT_ACS }),
  });
  return new PciBridgeModel(image, [{ index: 0, sizeBytes: 0x1000, space: 'memory' }]);
}

/** A PCI Express to PCI bridge: everything behind it goes by one requester id. */
export function pciePciBridge(): PciBridgeModel {
  const image = configImage({
    vendorId: 0x1b36,
    deviceId: 0x000e,
    classCode: CLASS_CODE.PCI_BRIDGE,
    interruptPin: 1,
    bridge: true,
    express: { portType: DEVICE_PORT_TYPE.PCIE_TO_PCI_BRIDGE },
    msi: { vectors: 1, maskable: true },
  });
  return new PciBridgeModel(image, [{ index: 0, sizeBytes: 0x100, space: 'memory', is64: true }]);
}

/** A conventional PCI-to-PCI bridge: requests from behind it go on as its own. */
export function pciPciBridge(): PciBridgeModel {
  const image = configImage({
    vendorId: 0x1b36,
    deviceId: 0x0001,
    classCode: CLASS_CODE.PCI_BRIDGE,
    bridge: true,
  });
  return new PciBridgeModel(image);
}
