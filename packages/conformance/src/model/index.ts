// SPDX-License-Identifier: Apache-2.0
// The kit for models: they survive any software, share nothing, and lose nothing over save and restore.

import type { Plugin } from '@irqkit/core';
import { msiVectors } from '../sources/msi-vectors.js';
import { wiredInputs } from '../sources/wired-inputs.js';
import { registerChecks } from '../suite.js';
import type { Unsupported } from '../suite.js';
import type { TestFramework } from '../test-framework.js';
import type { ModelCapability, ModelMachine, ModelSubject } from './capabilities.js';
import { pendingChecks } from './pending.js';
import { randomAccessChecks } from './random-access.js';
import { reachChecks } from './reach.js';
import { sharingChecks } from './sharing.js';
import { stateChecks } from './state.js';

export type { Machine } from '../machine.js';
export type { Unsupported } from '../suite.js';
export type { TestFramework } from '../test-framework.js';
export type { IntidRange, ModelCapability, ModelMachine } from './capabilities.js';

export interface ModelOptions {
  /** The plugin under test, with model and driver. */
  readonly plugin: Plugin;
  /** The plugins it stands on. */
  readonly others?: readonly Plugin[];
  /** Called for every board a check builds. */
  readonly setup: () => ModelMachine;
  /** What the model lacks, and why: checks that need it are skipped by name. */
  readonly unsupported?: Unsupported<ModelCapability>;
  /** Random accesses of each check; 20000 where it is not given. */
  readonly nrAccesses?: number;
  /** Of the random accesses: a failure comes back with it. */
  readonly seed?: number;
}

const DEFAULT_NR_ACCESSES = 20_000;
const DEFAULT_SEED = 0x1c_9117;

/** Registers the checks that every model passes, under a `describe` that names the plugin. */
export function testModel(framework: TestFramework, options: ModelOptions): void {
  const { plugin, others = [], setup, unsupported = {} } = options;
  const { nrAccesses = DEFAULT_NR_ACCESSES, seed = DEFAULT_SEED } = options;
  const subject: ModelSubject = { plugin, plugins: [plugin, ...others], setup, nrAccesses, seed };
  const checks = [
    ...randomAccessChecks(subject),
    ...reachChecks(subject),
    ...sharingChecks(subject),
    ...stateChecks(subject),
    ...pendingChecks(subject, [msiVectors(2), wiredInputs]),
  ];
  registerChecks(framework, `${plugin.name} as a model`, checks, unsupported);
}
