// SPDX-License-Identifier: Apache-2.0
// Matching firmware nodes with plugin entries. The node's list decides, most specific first; plugin order never matters.

import { LinuxError } from '../contracts/errno.js';
import type { FirmwareNode } from '../contracts/firmware.js';
import type { Plugin } from '../contracts/plugin.js';

/** An entry and the plugin that brought it. */
export interface Claim<E> {
  readonly plugin: string;
  readonly entry: E;
}

/** Entries by the `compatible` strings they claim. */
export type ClaimIndex<E> = ReadonlyMap<string, Claim<E>>;

/**
 * The entries that `pick` takes from each plugin, by `compatible`.
 * @throws LinuxError EEXIST where two entries claim one string; the message names both plugins.
 */
export function indexEntries<E extends { readonly compatible: readonly string[] }>(
  plugins: readonly Plugin[],
  pick: (plugin: Plugin) => readonly E[] | undefined,
): ClaimIndex<E> {
  const index = new Map<string, Claim<E>>();
  for (const plugin of plugins)
    for (const entry of pick(plugin) ?? [])
      for (const compatible of entry.compatible) {
        const taken = index.get(compatible);
        if (taken)
          throw new LinuxError('EEXIST', `"${compatible}" is claimed by ${taken.plugin} and by ${plugin.name}`);
        index.set(compatible, { plugin: plugin.name, entry });
      }
  return index;
}

/** The claim on the first of the node's `compatible` strings that is claimed at all. */
export function matchEntry<E>(node: FirmwareNode, index: ClaimIndex<E>): Claim<E> | undefined {
  for (const compatible of node.compatible) {
    const claim = index.get(compatible);
    if (claim) return claim;
  }
  return undefined;
}
