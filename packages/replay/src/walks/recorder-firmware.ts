// SPDX-License-Identifier: Apache-2.0
// The devicetree of the machine that walks were recorded on, as far as they see it.

import type { Firmware } from '@irqkit/core';
import { firmwareFromFdt, writeFdt } from '@irqkit/fdt';
import type { FdtNode } from '@irqkit/fdt';
import { regs } from '@irqkit/smmu-v3';
import { RAM } from './walk-parts.js';

/** QEMU virt's. */
export const SMMU_BASE = 0x905_0000;
export const PATH = `/smmuv3@${SMMU_BASE.toString(16)}`;

const TWO_CELLS = [
  ['#address-cells', cells(2)],
  ['#size-cells', cells(2)],
] as const;

export function recorderFirmware(): Firmware {
  const blob = writeFdt({
    version: 17,
    bootCpuid: 0,
    reservations: [],
    root: node('', TWO_CELLS, [
      node(
        'cpus',
        [
          ['#address-cells', cells(1)],
          ['#size-cells', cells(0)],
        ],
        [
          node('cpu@0', [
            ['device_type', text('cpu')],
            ['reg', cells(0)],
          ]),
        ],
      ),
      node(`memory@${RAM.base.toString(16)}`, [
        ['device_type', text('memory')],
        ['reg', cells(0, RAM.base, 0, RAM.sizeBytes)],
      ]),
      node(PATH.slice(1), [
        ['compatible', text('arm,smmu-v3')],
        ['reg', cells(0, SMMU_BASE, 0, regs.SMMU_FRAME_BYTES)],
        ['#iommu-cells', cells(1)],
      ]),
    ]),
  });
  return firmwareFromFdt(blob);
}

function node(name: string, properties: readonly (readonly [string, Uint8Array])[], children: readonly FdtNode[] = []) {
  return { name, properties: properties.map(([key, value]) => ({ name: key, value })), children };
}

function cells(...values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => view.setUint32(i * 4, value));
  return new Uint8Array(view.buffer);
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`);
}
