// SPDX-License-Identifier: Apache-2.0
import { devicetree, testIrqChip, testModel } from '@irqkit/conformance';
import type { ModelMachine } from '@irqkit/conformance';
import { gicV2 } from '@irqkit/gic-v2';

const EDGE_RISING = 1;
const LEVEL_HIGH = 4;

// QEMU virt's GIC, with two processors.
const setup = (compatible: string) => (): ModelMachine => ({
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
      compatible,
      reg: [0x800_0000, 0x1_0000, 0x801_0000, 0x1_0000],
      'interrupt-controller': true,
      '#interrupt-cells': 3,
    },
  }),
  path: '/intc@8000000',
  inputs: [
    [0, 1, LEVEL_HIGH],
    [0, 3, EDGE_RISING],
    [0, 255, LEVEL_HIGH],
  ],
  foreignInputs: [[0, 256, LEVEL_HIGH], [1, 16, LEVEL_HIGH], [2, 0, LEVEL_HIGH], [0, 1], []],
});

describe.each(['arm,cortex-a15-gic', 'arm,gic-400'])('%s', (compatible) => {
  const noMessages = 'devices do not write to a GICv2';
  testIrqChip({ describe, it }, { plugin: gicV2, setup: setup(compatible), unsupported: { msi: noMessages } });
  testModel(
    { describe, it },
    {
      plugin: gicV2,
      setup: setup(compatible),
      unsupported: { msi: noMessages, intids: 'it is the root' },
    },
  );
});
