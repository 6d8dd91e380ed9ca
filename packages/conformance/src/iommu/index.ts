// SPDX-License-Identifier: Apache-2.0
// The kit for IOMMUs: driver on model, with devices whose accesses pass between them.

import type { Plugin } from '@irqkit/core';
import { registerChecks } from '../suite.js';
import type { Unsupported } from '../suite.js';
import type { TestFramework } from '../test-framework.js';
import type { IommuCapability, IommuCheck, IommuMachine, IommuSubject } from './capabilities.js';
import { domainFaultChecks } from './domain-faults.js';
import { domainTypeChecks } from './domain-types.js';
import { doorbellChecks } from './doorbells.js';
import { faultChecks } from './faults.js';
import { hostileChecks } from './hostile.js';
import { idChecks } from './ids.js';
import { isolationChecks } from './isolation.js';
import { lifecycleChecks } from './lifecycle.js';
import { blockChecks } from './mapping/blocks.js';
import { mappingChecks } from './mapping/mappings.js';
import { randomMappingChecks } from './mapping/random-mappings.js';
import { refusalChecks } from './mapping/refusals.js';
import { reservedChecks } from './reserved.js';
import { staleChecks } from './stale.js';

export type { Machine } from '../machine.js';
export type { Unsupported } from '../suite.js';
export type { TestFramework } from '../test-framework.js';
export type { IommuCapability, IommuMachine } from './capabilities.js';

export interface IommuOptions {
  /** The plugin under test, with driver and model. */
  readonly plugin: Plugin;
  /** The plugins it stands on. */
  readonly others?: readonly Plugin[];
  /** Called for every board a check builds. */
  readonly setup: () => IommuMachine;
  /** What the plugin lacks, and why: checks that need it are skipped by name. */
  readonly unsupported?: Unsupported<IommuCapability>;
  /** Random operations of each check; 500 where it is not given. */
  readonly nrOperations?: number;
  /** Of the random operations: a failure comes back with it. */
  readonly seed?: number;
}

const DEFAULT_NR_OPERATIONS = 500;
const DEFAULT_SEED = 0x10_4411;

/** Registers the checks that every IOMMU passes, under a `describe` that names the plugin. */
export function testIommu(framework: TestFramework, options: IommuOptions): void {
  const { plugin, others = [], setup, unsupported = {} } = options;
  const { nrOperations = DEFAULT_NR_OPERATIONS, seed = DEFAULT_SEED } = options;
  const subject: IommuSubject = {
    plugin,
    plugins: [plugin, ...others],
    setup,
    nrOperations,
    seed,
    supports: (capability) => unsupported[capability] === undefined,
  };
  const checks: readonly IommuCheck[] = [
    lifecycleChecks,
    mappingChecks,
    refusalChecks,
    blockChecks,
    randomMappingChecks,
    staleChecks,
    isolationChecks,
    domainTypeChecks,
    reservedChecks,
    doorbellChecks,
    idChecks,
    faultChecks,
    domainFaultChecks,
    hostileChecks,
  ].flatMap((checksOf) => checksOf(subject));
  registerChecks(framework, `${plugin.name} as an IOMMU`, checks, unsupported);
}
