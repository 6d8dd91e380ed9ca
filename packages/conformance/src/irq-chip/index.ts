// SPDX-License-Identifier: Apache-2.0
// The kit for interrupt controllers: MSI controllers, wired ones, and those that are both.

import type { Plugin } from '@irqkit/core';
import type { Setup } from '../machine.js';
import { msiVectors } from '../sources/msi-vectors.js';
import { wiredInputs } from '../sources/wired-inputs.js';
import { registerChecks } from '../suite.js';
import type { Unsupported } from '../suite.js';
import type { TestFramework } from '../test-framework.js';
import { affinityChecks } from './affinity.js';
import type { IrqChipCapability, IrqChipCheck, Subject } from './capabilities.js';
import { deliveryChecks, multiMsiChecks } from './delivery.js';
import { doorbellChecks } from './doorbells.js';
import { exhaustionChecks } from './exhaustion.js';
import { enableFaultChecks, probeFaultChecks } from './faults.js';
import { foreignChecks } from './foreign.js';
import { isolationChecks } from './isolation.js';
import { lifecycleChecks } from './lifecycle.js';
import { maskingChecks } from './masking.js';
import { sharingChecks } from './sharing.js';

export type { Machine, Setup } from '../machine.js';
export type { Unsupported } from '../suite.js';
export type { TestFramework } from '../test-framework.js';
export type { IrqChipCapability } from './capabilities.js';

export interface IrqChipOptions {
  /** The plugin under test, with driver and model. */
  readonly plugin: Plugin;
  /** The plugins it stands on. */
  readonly others?: readonly Plugin[];
  /** Called for every board a check builds. */
  readonly setup: Setup;
  /** What the plugin lacks, and why: checks that need it are skipped by name. */
  readonly unsupported?: Unsupported<IrqChipCapability>;
  /** How many vectors most checks enable; 4 where it is not given. */
  readonly nrVectors?: number;
}

const DEFAULT_NR_VECTORS = 4;

/** Registers the checks that every interrupt controller passes, under a `describe` that names the plugin. */
export function testIrqChip(framework: TestFramework, options: IrqChipOptions): void {
  const { plugin, others = [], setup, unsupported = {}, nrVectors = DEFAULT_NR_VECTORS } = options;
  const subject: Subject = {
    plugin,
    plugins: [plugin, ...others],
    setup,
    nrVectors,
    supports: (capability) => unsupported[capability] === undefined,
  };
  const kinds = [msiVectors(nrVectors), wiredInputs];
  const checks: readonly IrqChipCheck[] = [
    ...lifecycleChecks(subject),
    ...probeFaultChecks(subject),
    ...doorbellChecks(subject),
    ...multiMsiChecks(subject),
    ...exhaustionChecks(subject),
    ...isolationChecks(subject),
    ...foreignChecks(subject),
    ...kinds.flatMap((kind) =>
      [sharingChecks, deliveryChecks, maskingChecks, affinityChecks, enableFaultChecks].flatMap((checksOf) =>
        checksOf(subject, kind).map((check) => ({
          ...check,
          title: `${kind.name}: ${check.title}`,
          needs: [kind.name, ...(check.needs ?? [])],
        })),
      ),
    ),
  ];
  registerChecks(framework, `${plugin.name} as an interrupt controller`, checks, unsupported);
}
