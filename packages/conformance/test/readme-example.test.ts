// SPDX-License-Identifier: Apache-2.0
import { devicetree, plainController, testIrqChip, testModel } from '@irqkit/conformance';
import { acmeMsi } from './acme-msi.js';

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
    compatible: 'acme,intc',
    reg: [0x1_0000, 0x1000],
    phandle: 1,
    'interrupt-controller': true,
    '#interrupt-cells': 3,
  },
  'msi@20000': { compatible: 'acme,msi', reg: [0x2_0000, 0x1000], 'msi-controller': true },
});

const options = {
  plugin: acmeMsi,
  others: [plainController('acme,intc')],
  setup: () => ({ firmware, path: '/msi@20000', intids: [{ first: 64, count: 16 }] }),
  unsupported: { wired: 'the frame has no inputs' },
};

testIrqChip({ describe, it }, options);
testModel({ describe, it }, options);
