// SPDX-License-Identifier: Apache-2.0
// The pre-ITS of Socionext SynQuacer and others: a window in front of an ITS, where a write at DeviceID << 2 arrives as that
// device's. Source: devicetree property socionext,synquacer-pre-its of arm,gic-v3-its, two cells: base and size.

import { physAddr } from '@irqkit/core';
import type { FirmwareNode, Region } from '@irqkit/core';

export const PRE_ITS_PROPERTY = 'socionext,synquacer-pre-its';
/** Bytes of the window for each DeviceID. */
export const PRE_ITS_STRIDE = 4;

/** The window in front of an ITS node; undefined where there is none. @throws FirmwareError */
export function preItsOf(node: FirmwareNode): Region | undefined {
  const cells = node.u32s(PRE_ITS_PROPERTY);
  return cells?.length === 2 ? { base: physAddr(cells[0]), sizeBytes: cells[1] } : undefined;
}
