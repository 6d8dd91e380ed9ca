// SPDX-License-Identifier: Apache-2.0
// What can be said of a controller from its firmware node alone. Descriptions are pure: no bus, no host.

import type { FirmwareNode } from './firmware.js';
import type { MsiDoorbellInfo } from './doorbell.js';
import type { Silicon } from './plugin.js';

/** Whether interrupts through this controller are isolated per device, and the reason in one sentence. */
export interface IsolationVerdict {
  readonly isolated: boolean;
  readonly reason: string;
}

/** A number only silicon knows: undefined where neither firmware nor `silicon` says it. */
export type SiliconNumber = number | undefined;

export interface MsiControllerDescription {
  readonly doorbells: readonly MsiDoorbellInfo[];
  readonly isolation: IsolationVerdict;
  /** How many vectors it can serve in all. */
  readonly nrVectors: SiliconNumber;
  /** INTIDs or other numbers it takes from its parent: first and count. */
  readonly parentVectors?: { readonly first: SiliconNumber; readonly count: SiliconNumber };
}

export interface IommuDescription {
  /** As `IommuOps.translatesMsi`. */
  readonly translatesMsi: boolean;
  /** Bits of the ids that devices have there; an id in `iommu-map` or `iommus` must fit. */
  readonly idBits: SiliconNumber;
  /** The stages that an access can be translated by; undefined where only silicon knows. */
  readonly stages: readonly (1 | 2)[] | undefined;
  /** Sizes that one entry of its tables maps, in bytes, ascending; undefined where only silicon knows. */
  readonly pageSizes: readonly number[] | undefined;
}

/** Something wrong or doubtful about a node, found without running it. */
export interface Finding {
  readonly rule: string;
  readonly severity: 'error' | 'warning' | 'note';
  readonly path: string;
  readonly property?: string;
  readonly message: string;
}

/** A controller's pure half. */
export interface Description {
  /** Present on MSI controllers. */
  msi?(node: FirmwareNode, silicon: Silicon): MsiControllerDescription;
  /** Present on IOMMUs. */
  iommu?(node: FirmwareNode, silicon: Silicon): IommuDescription;
  /** Rules only this controller has. */
  check?(node: FirmwareNode): readonly Finding[];
}
