// SPDX-License-Identifier: Apache-2.0
import { describe, it } from 'node:test';
import { devicetree } from '@irqkit/conformance';
import { testIrqChip } from '@irqkit/conformance/irq-chip';
import { testModel } from '@irqkit/conformance/model';
import { gicV2 } from '@irqkit/gic-v2';

const firmware = devicetree({
  '#address-cells': 1,
  '#size-cells': 1,
  cpus: {
    '#address-cells': 1,
    '#size-cells': 0,
    'cpu@0': { device_type: 'cpu', reg: 0 },
    'cpu@1': { device_type: 'cpu', reg: 1 },
  },
  'intc@8000000': {
    compatible: 'arm,cortex-a15-gic',
    reg: [0x800_0000, 0x1_0000, 0x801_0000, 0x1_0000],
    'interrupt-controller': true,
    '#interrupt-cells': 3,
  },
});

const options = {
  plugin: gicV2,
  setup: () => ({
    firmware,
    path: '/intc@8000000',
    inputs: [
      [0, 1, 4],
      [0, 2, 1],
    ],
    foreignInputs: [[0, 256, 4]],
  }),
  unsupported: { msi: 'devices do not write to a GICv2' },
};

testIrqChip({ describe, it }, options);
testModel({ describe, it }, { ...options, unsupported: { ...options.unsupported, intids: 'it is the root' } });
