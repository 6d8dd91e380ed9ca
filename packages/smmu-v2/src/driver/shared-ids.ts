// SPDX-License-Identifier: Apache-2.0
// ASIDs and VMIDs of SMMUs whose ids must differ from one another's: each has as many as it has context banks.

import type { IommuCore } from '@irqkit/core';

/** By host, how many are given out. */
const given = new WeakMap<IommuCore, number>();

/** The first of `count` ids that no other SMMU of the host has. @linux cavium_cfg_probe */
export function firstSharedId(iommus: IommuCore, count: number): number {
  const first = given.get(iommus) ?? 0;
  given.set(iommus, first + count);
  return first;
}
