// SPDX-License-Identifier: Apache-2.0
// A plugin is frozen data: what it drives, models and describes, by `compatible` string.

import type { Description } from './description.js';
import type { Model } from './model.js';
import type { ModelContext, ProbeContext } from '../host/contexts.js';
import { LinuxError } from './errno.js';

/** The major version of the contracts in this package. */
export const CORE_API = 1;

/** Values that only silicon knows: ID registers, counts. Numbers, by register or parameter name. */
export type Silicon = Readonly<Record<string, number>>;

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- constructors are injected by token, their parameters are theirs
type Class<T> = new (...args: any[]) => T;

/** Builds one half of a controller: a class whose parameters carry `@inject(TOKEN)`, or a function of the context. */
export type Maker<T, Context> = { readonly useClass: Class<T> } | { readonly useFactory: (context: Context) => T };

/** A driver instance. What it took is in its node's DEVRES; it needs no method of its own. */
export type Driver = object;

export type DriverEntry = { readonly compatible: readonly string[] } & Maker<Driver, ProbeContext>;

export type ModelEntry = {
  readonly compatible: readonly string[];
  /** Default values of the node's `silicon`, for what firmware does not say. */
  readonly silicon?: Silicon;
} & Maker<Model, ModelContext>;

export type DescriptionEntry = { readonly compatible: readonly string[]; readonly description: Description };

export interface PluginManifest {
  /** The package's name. */
  readonly name: string;
  /** The major version of @irqkit/core's contracts it is written for: CORE_API. */
  readonly coreApi: number;
  readonly irqChips?: readonly DriverEntry[];
  readonly iommus?: readonly DriverEntry[];
  readonly buses?: readonly DriverEntry[];
  readonly models?: readonly ModelEntry[];
  readonly descriptions?: readonly DescriptionEntry[];
}

export type Plugin = Readonly<PluginManifest>;

/**
 * Freezes and checks a manifest.
 * @throws LinuxError EINVAL where it is written for another core API, or an entry names no `compatible` string.
 */
export function definePlugin(manifest: PluginManifest): Plugin {
  if (manifest.coreApi !== CORE_API)
    throw new LinuxError('EINVAL', `${manifest.name}: written for core API ${manifest.coreApi}, this is ${CORE_API}`);
  const { irqChips = [], iommus = [], buses = [], models = [], descriptions = [] } = manifest;
  for (const entry of [...irqChips, ...iommus, ...buses, ...models, ...descriptions]) {
    if (entry.compatible.length === 0) throw new LinuxError('EINVAL', `${manifest.name}: an entry with no compatible`);
    Object.freeze(entry);
  }
  return Object.freeze({ ...manifest });
}
