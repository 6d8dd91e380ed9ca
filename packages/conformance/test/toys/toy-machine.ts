// SPDX-License-Identifier: Apache-2.0
// A machine for toys: two processors, a plain controller, and a toy MSI frame on it.

import { devicetree, plainController } from '@irqkit/conformance';
import type { ModelMachine } from '@irqkit/conformance';

export const INTC_COMPATIBLE = 'acme,intc';
export const MSI_COMPATIBLE = 'acme,msi';

/** The toy's INTIDs, one for each vector. */
export const TOY_INTIDS = { first: 64, count: 16 } as const;

export const intc = plainController(INTC_COMPATIBLE);

const firmware = devicetree({
  '#address-cells': 1,
  '#size-cells': 1,
  'interrupt-parent': 1,
  cpus: {
    '#address-cells': 1,
    '#size-cells': 0,
    'cpu@0': { device_type: 'cpu', reg: 0 },
    'cpu@1': { device_type: 'cpu', reg: 1 },
  },
  'intc@10000': {
    compatible: INTC_COMPATIBLE,
    reg: [0x1_0000, 0x1000],
    phandle: 1,
    'interrupt-controller': true,
    '#interrupt-cells': 3,
  },
  'msi@20000': { compatible: MSI_COMPATIBLE, reg: [0x2_0000, 0x1000], 'msi-controller': true },
});

export function toyMachine(path: '/intc@10000' | '/msi@20000'): ModelMachine {
  return {
    firmware,
    path,
    inputs: [
      [0, 8, 1],
      [0, 9, 4],
    ],
    foreignInputs: [
      [0, 480, 1],
      [1, 8, 1],
    ],
    intids: [TOY_INTIDS],
  };
}
