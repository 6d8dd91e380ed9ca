// SPDX-License-Identifier: Apache-2.0
// Message-based SPIs: the GICv3 as an MSI controller, beside its wired inputs.

import { devicetree, testIrqChip, testModel } from '@irqkit/conformance';
import type { DevicetreeNode, ModelMachine } from '@irqkit/conformance';
import { gicV3 } from '@irqkit/gic-v3';

const EDGE_RISING = 1;
const LEVEL_HIGH = 4;

const SHAPES: Readonly<Record<string, DevicetreeNode>> = {
  'one range': { 'mbi-ranges': [64, 32] },
  'two ranges': { 'mbi-ranges': [64, 8, 128, 32] },
  'an alias of the message registers': { 'mbi-ranges': [64, 32], 'mbi-alias': [0, 0x900_0000] },
};

const machine = (properties: DevicetreeNode): ModelMachine => ({
  firmware: devicetree({
    '#address-cells': 1,
    '#size-cells': 1,
    cpus: {
      '#address-cells': 1,
      '#size-cells': 0,
      'cpu@0': { device_type: 'cpu', reg: 0 },
      'cpu@1': { device_type: 'cpu', reg: 1 },
    },
    'intc@8000000': {
      compatible: 'arm,gic-v3',
      reg: [0x800_0000, 0x1_0000, 0x80a_0000, 0x4_0000],
      'interrupt-controller': true,
      '#interrupt-cells': 3,
      'msi-controller': true,
      ...properties,
    },
  }),
  path: '/intc@8000000',
  inputs: [
    [0, 1, LEVEL_HIGH],
    [0, 3, EDGE_RISING],
  ],
  foreignInputs: [
    [0, 224, LEVEL_HIGH],
    [1, 16, LEVEL_HIGH],
    [0, 1],
  ],
});

describe.each(Object.entries(SHAPES))('%s', (_name, properties) => {
  const setup = (): ModelMachine => machine(properties);
  testIrqChip({ describe, it }, { plugin: gicV3, setup });
  testModel({ describe, it }, { plugin: gicV3, setup, unsupported: { intids: 'it is the root' } });
});
