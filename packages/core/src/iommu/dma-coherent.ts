// SPDX-License-Identifier: Apache-2.0

import type { FirmwareNode } from '../contracts/firmware.js';

/** Whether what is at `node` sees the processors' caches, by its own properties or those of a bus above. @linux of_dma_is_coherent */
export function isDmaCoherent(node: FirmwareNode): boolean {
  for (let at: FirmwareNode | undefined = node; at; at = at.parent) {
    if (at.has('dma-coherent')) return true;
    if (at.has('dma-noncoherent')) return false;
  }
  return false;
}
