// SPDX-License-Identifier: Apache-2.0
// Devicetrees with a GICv3, ITSs and a PCI root, laid out as QEMU's virt machine where it has the part.

import { devicetree } from '@irqkit/conformance';
import type { DevicetreeNode } from '@irqkit/conformance';
import type { Firmware } from '@irqkit/core';

export const GIC_PHANDLE = 1;
export const GIC = '/intc@8000000';
export const PCIE = '/pcie@10000000';

export interface ItsFacts {
  readonly base: number;
  readonly phandle: number;
  readonly properties?: DevicetreeNode;
}

export interface PlatformFacts {
  readonly nrCpus: number;
  /** More properties of the GIC's node. */
  readonly gic?: DevicetreeNode;
  readonly itss: readonly ItsFacts[];
  /** Fours of RequesterID, phandle, DeviceID and how many. */
  readonly msiMap: readonly number[];
  /** More properties of the PCI root. */
  readonly pcie?: DevicetreeNode;
  /** More nodes below the root. */
  readonly nodes?: DevicetreeNode;
}

export function itsPath({ base }: ItsFacts): string {
  return `${GIC}/its@${base.toString(16)}`;
}

export function itsPlatform({ nrCpus, gic, itss, msiMap, pcie, nodes }: PlatformFacts): Firmware {
  const itsNodes = itss.map(({ base, phandle, properties }) => [
    `its@${base.toString(16)}`,
    {
      compatible: 'arm,gic-v3-its',
      reg: [base, 0x2_0000],
      phandle,
      'msi-controller': true,
      '#msi-cells': 1,
      ...properties,
    },
  ]);
  return devicetree({
    ...machineNodes(nrCpus, { 'msi-map': msiMap, ...pcie }),
    'intc@8000000': {
      compatible: 'arm,gic-v3',
      reg: [0x800_0000, 0x1_0000, 0x80a_0000, nrCpus * 0x2_0000],
      phandle: GIC_PHANDLE,
      '#address-cells': 1,
      '#size-cells': 1,
      ranges: true,
      'interrupt-controller': true,
      '#interrupt-cells': 3,
      ...gic,
      ...(Object.fromEntries(itsNodes) as DevicetreeNode),
    },
    ...nodes,
  });
}

/** Memory, processors and a PCI root with `pcie` among its properties; their interrupt controller has GIC_PHANDLE. */
export function machineNodes(nrCpus: number, pcie: DevicetreeNode): DevicetreeNode {
  const cpus = Array.from({ length: nrCpus }, (_, cpu) => [`cpu@${cpu}`, { device_type: 'cpu', reg: cpu }] as const);
  return {
    '#address-cells': 1,
    '#size-cells': 1,
    'interrupt-parent': GIC_PHANDLE,
    'memory@40000000': { device_type: 'memory', reg: [0x4000_0000, 0x1000_0000] },
    cpus: { '#address-cells': 1, '#size-cells': 0, ...Object.fromEntries(cpus) },
    'pcie@10000000': {
      compatible: 'pci-host-ecam-generic',
      device_type: 'pci',
      reg: [0x3f00_0000, 0x100_0000],
      'bus-range': [0, 15],
      '#address-cells': 3,
      '#size-cells': 2,
      ranges: [0x0200_0000, 0, 0x1000_0000, 0x1000_0000, 0, 0x2eff_0000],
      ...pcie,
    },
  };
}
