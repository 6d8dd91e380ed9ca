// SPDX-License-Identifier: Apache-2.0
// Nodes of SMMUs and of what may stand beside an ITS, laid out as QEMU's virt machine where it has the part.

import { devicetree } from '@irqkit/conformance';
import type { DevicetreeNode } from '@irqkit/conformance';
import type { Firmware } from '@irqkit/core';
import { GIC_PHANDLE, itsPlatform, machineNodes } from './its-platform.js';
import type { ItsFacts } from './its-platform.js';

const EDGE_RISING = 1;

export interface SmmuFacts {
  readonly base: number;
  readonly phandle: number;
  /** Of its event queue; that of its errors is the next but two, as on virt. */
  readonly firstSpi: number;
}

/** Where QEMU's virt has its own. */
export const SMMU: SmmuFacts = { base: 0x905_0000, phandle: 0x10, firstSpi: 74 };
export const SECOND_SMMU: SmmuFacts = { base: 0x907_0000, phandle: 0x11, firstSpi: 78 };

export function smmuPath({ base }: SmmuFacts): string {
  return `/smmuv3@${base.toString(16)}`;
}

export function smmuNodes(...smmus: readonly SmmuFacts[]): DevicetreeNode {
  const nodes = smmus.map(({ base, phandle, firstSpi }) => [
    `smmuv3@${base.toString(16)}`,
    {
      compatible: 'arm,smmu-v3',
      reg: [base, 0x2_0000],
      phandle,
      interrupts: [0, 1, 2, 3].flatMap((n) => [0, firstSpi + n, EDGE_RISING]),
      'interrupt-names': ['eventq', 'priq', 'cmdq-sync', 'gerror'],
      'dma-coherent': true,
      '#iommu-cells': 1,
    },
  ]);
  return Object.fromEntries(nodes) as DevicetreeNode;
}

/** Every RequesterID is the StreamID of the same number at one SMMU. */
export function behind({ phandle }: SmmuFacts): DevicetreeNode {
  return { 'iommu-map': [0, phandle, 0, 0x1_0000] };
}

/** Where QEMU's virt has its ITS. */
export const ITS: ItsFacts = { base: 0x808_0000, phandle: 2 };

/** A GICv3 of two processors and an ITS, with every function behind both it and the SMMU, by its RequesterID. */
export function itsBehindSmmu(): Firmware {
  const msiMap = [0, ITS.phandle, 0, 0x1_0000];
  return itsPlatform({ nrCpus: 2, itss: [ITS], msiMap, pcie: behind(SMMU), nodes: smmuNodes(SMMU) });
}

/** acme-doors.ts' controller, with a page for each of four processors. */
export const DOORS = { base: 0x8b0_0000, phandle: 4 } as const;

export function doorsNode(): DevicetreeNode {
  return {
    [`msi-doors@${DOORS.base.toString(16)}`]: {
      compatible: 'acme,msi-doors',
      reg: [DOORS.base, 0x4000],
      'interrupt-parent': GIC_PHANDLE,
      phandle: DOORS.phandle,
      'msi-controller': true,
      '#msi-cells': 1,
      'acme,first-intid': 128,
    },
  };
}

/**
 * A GICv2 with one GICv2m frame, whose registers say that it has the 64 INTIDs from 80 on, and an SMMU. That of virt has four of these
 * INTIDs; here it has its own.
 */
export function v2mPlatform(frame: number): Firmware {
  const phandle = 2;
  const smmu = { ...SMMU, firstSpi: 112 };
  return devicetree({
    ...machineNodes(2, { 'msi-parent': phandle, ...behind(smmu) }),
    'intc@8000000': {
      compatible: 'arm,cortex-a15-gic',
      reg: [0x800_0000, 0x1_0000, 0x801_0000, 0x1_0000],
      phandle: GIC_PHANDLE,
      '#address-cells': 1,
      '#size-cells': 1,
      ranges: true,
      'interrupt-controller': true,
      '#interrupt-cells': 3,
      [`v2m@${frame.toString(16)}`]: {
        compatible: 'arm,gic-v2m-frame',
        reg: [frame, 0x1000],
        phandle,
        'msi-controller': true,
      },
    },
    ...smmuNodes(smmu),
  });
}
