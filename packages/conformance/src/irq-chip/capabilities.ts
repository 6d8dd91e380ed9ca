// SPDX-License-Identifier: Apache-2.0

import type { Plugin } from '@irqkit/core';
import type { Setup } from '../machine.js';
import type { SourceKind } from '../sources/source.js';
import type { Check } from '../suite.js';

/** What an interrupt controller may lack, each for a reason its author states. */
export type IrqChipCapability =
  /** Message-signalled interrupts. */
  | 'msi'
  /** Inputs that firmware specifiers name. */
  | 'wired'
  /** Blocks of MSIs that share an address. */
  | 'multi-msi'
  /** Moving an interrupt to another processor. */
  | 'affinity'
  /** Keeping an interrupt from the processors; without it, software holds it back. */
  | 'masking'
  /** What arrives while an interrupt is masked is delivered when it is unmasked. */
  | 'pending-while-masked'
  /** Running out of vectors within what one device may have. */
  | 'exhaustion';

export type IrqChipCheck = Check<IrqChipCapability>;

/** What the checks are given. */
export interface Subject {
  readonly plugin: Plugin;
  /** The plugin under test and those it needs. */
  readonly plugins: readonly Plugin[];
  readonly setup: Setup;
  /** How many vectors most checks enable. */
  readonly nrVectors: number;
  supports(capability: IrqChipCapability): boolean;
}

/** Checks of one way in, by the capability of the same name. */
export type ChecksOfKind = (subject: Subject, kind: SourceKind) => readonly IrqChipCheck[];
