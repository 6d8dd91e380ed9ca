// SPDX-License-Identifier: Apache-2.0
// Which granule to use where hardware has several. Linux 6.1 prefers the size of the processor's own pages.

import { LinuxError } from '@irqkit/core';
import type { GranuleBytes } from './page-table.js';

/** Bytes of the processor's pages. @linux PAGE_SIZE */
export const CPU_PAGE_BYTES = 0x1000;

/**
 * The granule to use of those that the hardware has: the processor's page size, else the largest below, else the smallest.
 * @throws LinuxError EINVAL where it has none @linux arm_lpae_restrict_pgsizes
 */
export function chooseGranule(
  path: string,
  granules: readonly GranuleBytes[],
  cpuPageBytes: number = CPU_PAGE_BYTES,
): GranuleBytes {
  if (granules.length === 0) throw new LinuxError('EINVAL', `${path}: no translation granule`);
  const fitting = granules.filter((bytes) => bytes <= cpuPageBytes);
  return (fitting.length > 0 ? Math.max(...fitting) : Math.min(...granules)) as GranuleBytes;
}
