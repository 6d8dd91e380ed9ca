// SPDX-License-Identifier: Apache-2.0
// The ports of one node's bus, by requester id and PASID, with the ids that firmware gives each.

import { FirmwareError } from '@irqkit/core';
import type { DmaPort, DmaPorts, FirmwareNode, MappedId, ModelLog } from '@irqkit/core';
import type { Processors } from '../processors.js';
import { AccessPoint } from '../space/access-point.js';
import type { AddressSpace } from '../space/address-space.js';
import { DevicePort } from './device-port.js';
import type { IommuOf, PortSurroundings } from './device-port.js';

export class DevicePorts implements DmaPorts {
  /** By PASID, undefined for none, and then by requester id. */
  readonly #ports = new Map<number | undefined, Map<number, DevicePort>>();
  readonly #node: FirmwareNode;
  readonly #log: ModelLog;
  readonly #surroundings: PortSurroundings;

  constructor(node: FirmwareNode, space: AddressSpace, cpus: Processors, log: ModelLog, iommuOf: IommuOf) {
    this.#node = node;
    this.#log = log;
    this.#surroundings = { cpus, space, point: new AccessPoint(space), iommuOf };
  }

  port(requesterId: number, substreamId?: number): DmaPort {
    let ports = this.#ports.get(substreamId);
    if (!ports) this.#ports.set(substreamId, (ports = new Map<number, DevicePort>()));
    let port = ports.get(requesterId);
    if (!port) ports.set(requesterId, (port = this.#create(requesterId, substreamId)));
    return port;
  }

  // Every requester has the same members, also those that are undefined, so that models see one shape of object.
  #create(requesterId: number, substreamId: number | undefined): DevicePort {
    const stream = this.#mapId('iommu', requesterId);
    const device = this.#mapId('msi', requesterId);
    const requester = Object.freeze({
      kind: 'device' as const,
      cpu: -1,
      requesterId,
      streamId: stream?.id ?? -1,
      substreamId,
      deviceId: device?.id ?? -1,
    });
    return new DevicePort(requester, stream?.controller, this.#surroundings);
  }

  // Ports appear when software numbers buses, where a malformed map must not throw at it.
  #mapId(kind: 'msi' | 'iommu', requesterId: number): MappedId | undefined {
    try {
      return this.#node.mapId(kind, requesterId);
    } catch (error) {
      if (!(error instanceof FirmwareError)) throw error;
      this.#log.guest('%s', error.message);
      return undefined;
    }
  }
}
