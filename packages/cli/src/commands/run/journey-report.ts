// SPDX-License-Identifier: Apache-2.0
// What a run found, as data: the same facts are printed and given as JSON.

import type { InterruptRow, IommuDomainType } from '@irqkit/core';

/** A function of a PCI hierarchy and what lies behind it. */
export interface TopologyNode {
  /** `0000:01:00.0` */
  readonly name: string;
  readonly vendorId: number;
  readonly deviceId: number;
  /** Base class, sub-class, programming interface. */
  readonly classCode: number;
  readonly isBridge: boolean;
  /** The id its requests arrive with, and the one its MSI controller knows it by. */
  readonly requesterId: number;
  readonly msiDeviceId: number;
  /** The path of that controller's node. */
  readonly msiController: string | undefined;
  readonly behind: readonly TopologyNode[];
}

export interface HostBridge {
  readonly path: string;
  readonly domain: number;
  readonly functions: readonly TopologyNode[];
}

/** Vectors with one address, consecutive data and consecutive INTIDs. */
export interface MessageBlock {
  readonly firstVector: number;
  readonly nrVectors: number;
  readonly address: number;
  /** The id that its MSI controller knows the device by: an ITS's DeviceID. */
  readonly deviceId: number;
  /** An ITS's EventID, or what a GICv2m frame raises. */
  readonly firstData: number;
  /** What processors take the first as: an LPI or SPI of the controller at the root. */
  readonly firstIntid: number;
}

/** A doorbell as the device addresses it, and where that is. */
export interface BoundDoorbell {
  readonly iova: number;
  readonly pa: number;
}

export interface IommuReport {
  /** The path of its node. */
  readonly path: string;
  /** What it knows the device by: an SMMU's StreamIDs. */
  readonly streamIds: readonly number[];
  /** The number of the group that the device shares a domain with. */
  readonly group: number;
  readonly domainType: IommuDomainType;
  /** Empty where the device's messages are not translated. */
  readonly doorbells: readonly BoundDoorbell[];
}

/** A message that a device had no right to send. */
export interface ForgedMessage {
  readonly device: string;
  /** The doorbell's physical address. */
  readonly address: number;
  /** True where it came through. */
  readonly arrived: boolean;
  /** The IOMMU's event records, decoded. */
  readonly faults: readonly string[];
}

export interface VectorReport {
  readonly index: number;
  readonly virq: number;
  /** How often its handler ran after it was fired once. */
  readonly delivered: number;
}

export interface DeviceReport {
  readonly name: string;
  readonly mode: 'MSI-X' | 'MSI' | 'none';
  /** Why it has no vectors, or fewer than it could. */
  readonly trouble: string | undefined;
  readonly blocks: readonly MessageBlock[];
  readonly vectors: readonly VectorReport[];
  /** Undefined for a device that no IOMMU translates for. */
  readonly iommu: IommuReport | undefined;
}

export interface DoorbellReport {
  /** One, or one for each processor. */
  readonly bases: readonly number[];
  readonly sizeBytes: number;
  /** What this one needs of pages of 4 KiB. */
  readonly pages: number;
  /** True where no device can raise another's interrupt by it. */
  readonly isolated: boolean;
}

export interface JourneyReport {
  readonly compatible: readonly string[];
  readonly nrCpus: number;
  readonly hosts: readonly HostBridge[];
  readonly devices: readonly DeviceReport[];
  readonly doorbells: readonly DoorbellReport[];
  readonly totalPages: number;
  /** True when no registered doorbell lacks interrupt remapping. */
  readonly safe: boolean;
  readonly interrupts: readonly InterruptRow[];
  /** As /proc/interrupts lays it out. */
  readonly procInterrupts: string;
  readonly vectorsEnabled: number;
  /** Vectors whose handler ran exactly once. */
  readonly vectorsDelivered: number;
  /** One message that an IOMMU had to stop; undefined where no device is behind one. */
  readonly forged: ForgedMessage | undefined;
  /** What the host warned of, and what models say of software, before anything was forged. */
  readonly warnings: readonly string[];
  /** True where every endpoint has vectors, each was delivered exactly once, and what was forged was stopped with a fault. */
  readonly ok: boolean;
}
