// SPDX-License-Identifier: Apache-2.0

import type { Plugin } from '@irqkit/core';
import type { Machine } from '../machine.js';
import type { Check } from '../suite.js';

/** What an IOMMU may lack, each for a reason its author states. */
export type IommuCapability =
  /** Domains in which every address is its own. */
  | 'identity'
  /** Domains in which nothing is reached. */
  | 'blocked'
  /** Entries of more than one size. */
  | 'blocks'
  /** Pages that devices may write and not read. */
  | 'write-only'
  /** It translates MSI writes as it does any other, so that doorbells are mapped. */
  | 'msi'
  /** An id belongs to one device. */
  | 'exclusive-ids'
  /** Ids that it does not have: the machine names some. */
  | 'foreign-ids';

export type IommuCheck = Check<IommuCapability>;

export interface IommuMachine extends Machine {
  /** The ids by which the IOMMU knows the kit's two devices; 8 and 16 where they are not given. */
  readonly streamIds?: readonly [number, number];
  /** Ids that the hardware does not have. */
  readonly foreignStreamIds?: readonly number[];
}

/** What the checks are given. */
export interface IommuSubject {
  readonly plugin: Plugin;
  /** The plugin under test and those it needs. */
  readonly plugins: readonly Plugin[];
  readonly setup: () => IommuMachine;
  /** Random operations of each check. */
  readonly nrOperations: number;
  readonly seed: number;
  supports(capability: IommuCapability): boolean;
}
