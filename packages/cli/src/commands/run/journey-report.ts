// SPDX-License-Identifier: Apache-2.0
// What a run found, as data: the same facts are printed and given as JSON.

import type { InterruptRow } from '@irqkit/core';

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
  /** What the host warned of, and what models say of software. */
  readonly warnings: readonly string[];
  /** True where every endpoint has vectors and each was delivered exactly once. */
  readonly ok: boolean;
}
