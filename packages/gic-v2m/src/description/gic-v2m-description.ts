// SPDX-License-Identifier: Apache-2.0
// What a GICv2m frame's node says by itself. Source: devicetree binding arm,gic.yaml (Linux 6.1), node v2m.

import { DOORBELL_PROT, LinuxError } from '@irqkit/core';
import type { Description, Finding, FirmwareNode, MsiControllerDescription, Silicon } from '@irqkit/core';
import { checkSpis, doorbellOf, spisOfNode, spisOfTyper } from './frame.js';
import { ARM_V2M, variantOfNode } from './variants.js';

export const gicV2mDescription: Description = { msi, check };

const NOT_ISOLATED = {
  isolated: false,
  reason: 'MSI_SETSPI_NS takes any INTID of the frame from any device: the writer is not looked at',
} as const;

function msi(node: FirmwareNode, silicon: Silicon): MsiControllerDescription {
  const region = node.reg(0);
  // MSI_IIDR tells variants apart that differ in the data alone: the doorbell needs the node only.
  const variant = variantOfNode(node) ?? ARM_V2M;
  const typer = silicon.MSI_TYPER as number | undefined;
  const spis = spisOfNode(node) ?? (typer === undefined ? undefined : spisOfTyper(typer));
  const whole = { globalDoorbell: region.base, sizeBytes: region.sizeBytes, prot: DOORBELL_PROT, irqRemapping: false };
  const known = spis ?? (variant.bytesPerSpi === 0 ? { firstSpi: 0, nrSpis: 1 } : undefined);
  return {
    doorbells: [known ? doorbellOf({ base: region.base, variant, ...known }) : whole],
    isolation: NOT_ISOLATED,
    nrVectors: spis?.nrSpis,
    parentVectors: { first: spis?.firstSpi, count: spis?.nrSpis },
  };
}

function check(node: FirmwareNode): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (rule: string, severity: Finding['severity'], property: string, message: string): void => {
    findings.push({ rule, severity, path: node.path, property, message });
  };
  if (!node.has('msi-controller'))
    add('gic-v2m-msi-controller', 'error', 'msi-controller', 'is missing: Linux passes the frame over');
  if (node.has('arm,msi-base-spi') !== node.has('arm,msi-num-spis'))
    add('gic-v2m-override', 'warning', 'arm,msi-base-spi', 'overrides MSI_TYPER only together with arm,msi-num-spis');
  const spis = spisOfNode(node);
  try {
    if (spis) checkSpis(node.path, spis);
  } catch (error) {
    if (!LinuxError.is(error)) throw error;
    add('gic-v2m-spis', 'error', 'arm,msi-base-spi', error.message);
  }
  return findings;
}
