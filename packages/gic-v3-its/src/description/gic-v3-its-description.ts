// SPDX-License-Identifier: Apache-2.0
// What an ITS's firmware node says by itself. Sources: devicetree binding arm,gic-v3.yaml (Linux 6.1), node arm,gic-v3-its;
// Linux's handling of a pre-ITS; IHI 0069 for the offset of GITS_TRANSLATER.

import { highWord, lowWord } from '@irqkit/bits';
import { DOORBELL_PROT } from '@irqkit/core';
import type {
  Description,
  Finding,
  FirmwareNode,
  IsolationVerdict,
  MsiControllerDescription,
  MsiDoorbellInfo,
  PhysAddr,
  Silicon,
  SiliconNumber,
} from '@irqkit/core';
import { PRE_ITS_PROPERTY, PRE_ITS_STRIDE, preItsOf } from './pre-its.js';
import { FIRST_LPI, GITS_TRANSLATER, GITS_TYPER } from '../regs.js';

export const gicV3ItsDescription: Description = { msi, check };

const ISOLATED: IsolationVerdict = {
  isolated: true,
  reason: 'the ITS looks EventIDs up by the DeviceID that comes with the write, which the device cannot choose',
};
const PRE_ITS: IsolationVerdict = {
  isolated: false,
  reason: 'the pre-ITS takes the DeviceID from the address, so a device can write as another one',
};

/** The doorbell of an ITS node: GITS_TRANSLATER, or the window of the pre-ITS in front of it. @throws FirmwareError */
export function itsDoorbell(node: FirmwareNode): MsiDoorbellInfo {
  const window = preItsOf(node);
  if (window)
    return { globalDoorbell: window.base, sizeBytes: window.sizeBytes, prot: DOORBELL_PROT, irqRemapping: false };
  const translater = (node.reg(0).base + GITS_TRANSLATER.offset) as PhysAddr;
  return { globalDoorbell: translater, sizeBytes: 4, prot: DOORBELL_PROT, irqRemapping: true };
}

function msi(node: FirmwareNode, silicon: Silicon): MsiControllerDescription {
  return {
    doorbells: [itsDoorbell(node)],
    isolation: preItsOf(node) ? PRE_ITS : ISOLATED,
    nrVectors: nrEvents(node, silicon),
    // How many LPIs there are is for the GIC above to say.
    parentVectors: { first: FIRST_LPI, count: undefined },
  };
}

/** EventIDs of all DeviceIDs that can be had: a pre-ITS's window may cut them. */
function nrEvents(node: FirmwareNode, silicon: Silicon): SiliconNumber {
  const value = silicon.GITS_TYPER as number | undefined;
  if (value === undefined) return undefined;
  const typer = Uint32Array.of(lowWord(value), highWord(value));
  const nrDeviceIds = 2 ** (GITS_TYPER.Devbits(typer) + 1);
  const window = preItsOf(node);
  const reached = window ? Math.min(nrDeviceIds, window.sizeBytes / PRE_ITS_STRIDE) : nrDeviceIds;
  return reached * 2 ** (GITS_TYPER.ID_bits(typer) + 1);
}

function check(node: FirmwareNode): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (rule: string, severity: Finding['severity'], property: string, message: string): void => {
    findings.push({ rule, severity, path: node.path, property, message });
  };
  if (!node.has('msi-controller'))
    add('gic-v3-its-msi-controller', 'error', 'msi-controller', 'is missing: Linux passes the ITS over');
  const cells = node.u32('#msi-cells');
  if (cells !== 1) add('gic-v3-its-msi-cells', 'error', '#msi-cells', `is ${cells ?? 'missing'}, an ITS takes 1`);
  if (node.regs.length === 0) add('gic-v3-its-frame', 'error', 'reg', 'must name the ITS frames');
  else if (!node.has(PRE_ITS_PROPERTY) && node.regs[0].sizeBytes <= GITS_TRANSLATER.offset)
    add('gic-v3-its-translation', 'warning', 'reg', 'does not cover the translation frame, which is the second 64 KiB');
  if (node.has(PRE_ITS_PROPERTY)) {
    if (preItsOf(node)) add('gic-v3-its-pre-its', 'warning', PRE_ITS_PROPERTY, PRE_ITS.reason);
    else add('gic-v3-its-pre-its-cells', 'error', PRE_ITS_PROPERTY, 'must be two cells: base and size');
  }
  return findings;
}
