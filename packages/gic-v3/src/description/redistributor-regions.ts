// SPDX-License-Identifier: Apache-2.0
// Where a node says that Redistributors are. Source: devicetree binding arm,gic-v3.yaml (Linux 6.1).

import type { FirmwareNode } from '@irqkit/core';

/** How many entries of `reg` after the Distributor's hold Redistributors. */
export function nrRedistributorRegions(node: FirmwareNode): number {
  return node.u32('#redistributor-regions') ?? 1;
}

/** Bytes from one Redistributor to the next, where firmware says it: otherwise two frames, or four with GICR_TYPER.VLPIS. */
export function redistributorStride(node: FirmwareNode): number | undefined {
  const cells = node.u32s('redistributor-stride');
  if (cells === undefined || cells.length === 0) return undefined;
  const bytes = cells.reduce((value, cell) => value * 0x1_0000_0000 + cell, 0);
  return bytes === 0 ? undefined : bytes;
}
