// SPDX-License-Identifier: Apache-2.0

import type { Plugin } from '@irqkit/core';
import type { Machine } from '../machine.js';
import type { Check } from '../suite.js';

/** What a model may lack, each for a reason its author states. */
export type ModelCapability =
  /** Message-signalled interrupts, enabled by the plugin's driver. */
  | 'msi'
  /** Inputs that firmware specifiers name. */
  | 'wired'
  /** A controller above it whose INTIDs plain register writes raise. */
  | 'intids';

export type ModelCheck = Check<ModelCapability>;

/** INTIDs of the interrupt parent. */
export interface IntidRange {
  readonly first: number;
  readonly count: number;
}

export interface ModelMachine extends Machine {
  /** What the frame or table may raise at its interrupt parent: all of it, and it alone. */
  readonly intids?: readonly IntidRange[];
}

/** What the checks are given. */
export interface ModelSubject {
  readonly plugin: Plugin;
  /** The plugin under test and those it needs. */
  readonly plugins: readonly Plugin[];
  readonly setup: () => ModelMachine;
  /** Random accesses of each check. */
  readonly nrAccesses: number;
  readonly seed: number;
}
