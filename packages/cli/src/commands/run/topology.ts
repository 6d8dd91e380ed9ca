// SPDX-License-Identifier: Apache-2.0

import type { PciDevice, PciHostDriver } from '@irqkit/pci/host';
import type { HostBridge, TopologyNode } from './journey-report.js';

/** What enumeration found, as a tree. */
export function topologyOf(host: PciHostDriver): HostBridge {
  const behind = (bridge: PciDevice | undefined): TopologyNode[] =>
    host.buses
      .filter((bus) => bus.bridge === bridge)
      .flatMap((bus) => bus.devices)
      .map((device) => ({
        name: device.name,
        vendorId: device.vendorId,
        deviceId: device.deviceId,
        classCode: device.classCode,
        isBridge: device.isBridge,
        requesterId: device.requesterId,
        msiDeviceId: device.msiDeviceId,
        msiController: host.node.mapId('msi', device.requesterId)?.controller.path,
        behind: device.isBridge ? behind(device) : [],
      }));
  return { path: host.node.path, domain: host.domain, functions: behind(undefined) };
}
