// SPDX-License-Identifier: Apache-2.0
// What a GICv3's firmware node says by itself. Source: devicetree binding arm,gic-v3.yaml (Linux 6.1).

import { LinuxError } from '@irqkit/core';
import type { Description, Finding, FirmwareNode, MsiControllerDescription } from '@irqkit/core';
import { mbiAlias, mbiDoorbell, mbiRanges, hasMbis } from './mbi.js';
import type { MbiRange } from './mbi.js';
import { GICR_FRAME_BYTES } from '../regs.js';
import { nrRedistributorRegions, redistributorStride } from './redistributor-regions.js';

export const gicV3Description: Description = { msi, check };

const NOT_ISOLATED = {
  isolated: false,
  reason: 'GICD_SETSPI_NSR takes any INTID from any device: the writer is not looked at',
} as const;

/** Vectors only where `msi-controller` and `mbi-ranges` stand; without them a GICv3 is no MSI controller by itself. */
function msi(node: FirmwareNode): MsiControllerDescription {
  const ranges = hasMbis(node) ? rangesInUse(node) : [];
  if (ranges.length === 0) return { doorbells: [], isolation: NOT_ISOLATED, nrVectors: 0 };
  const nrVectors = ranges.reduce((sum, { nrSpis }) => sum + nrSpis, 0);
  return {
    doorbells: [mbiDoorbell(node)],
    isolation: NOT_ISOLATED,
    nrVectors,
    parentVectors: { first: Math.min(...ranges.map(({ firstSpi }) => firstSpi)), count: nrVectors },
  };
}

// As the driver: ranges that cannot be are passed over, all of them.
function rangesInUse(node: FirmwareNode): readonly MbiRange[] {
  try {
    return mbiRanges(node);
  } catch (error) {
    if (!LinuxError.is(error)) throw error;
    return [];
  }
}

function check(node: FirmwareNode): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (rule: string, severity: Finding['severity'], property: string, message: string): void => {
    findings.push({ rule, severity, path: node.path, property, message });
  };
  if (!node.has('interrupt-controller'))
    add('gic-v3-controller', 'error', 'interrupt-controller', 'is missing: nothing can be wired to this GIC');
  const cells = node.u32('#interrupt-cells') ?? 0;
  if (cells < 3) add('gic-v3-cells', 'error', '#interrupt-cells', `is ${cells || 'missing'}, a GICv3 takes 3 or 4`);
  const regions = nrRedistributorRegions(node);
  if (node.regs.length < 1 + regions)
    add('gic-v3-frames', 'error', 'reg', `must name the Distributor and ${regions} regions of Redistributors`);
  const stride = redistributorStride(node);
  if (stride !== undefined && (stride % GICR_FRAME_BYTES !== 0 || stride < 2 * GICR_FRAME_BYTES))
    add('gic-v3-stride', 'error', 'redistributor-stride', 'must be a multiple of 64 KiB and hold two frames');
  if (node.has('mbi-ranges') && !node.has('msi-controller'))
    add('gic-v3-mbi', 'warning', 'mbi-ranges', 'is passed over without msi-controller');
  if (hasMbis(node)) checkMbis(node, add);
  return findings;
}

function checkMbis(
  node: FirmwareNode,
  add: (rule: string, severity: Finding['severity'], property: string, message: string) => void,
): void {
  for (const [property, decode] of [
    ['mbi-ranges', mbiRanges],
    ['mbi-alias', mbiAlias],
  ] as const) {
    try {
      decode(node);
    } catch (error) {
      if (!LinuxError.is(error)) throw error;
      add('gic-v3-mbi', 'error', property, error.message);
    }
  }
}
