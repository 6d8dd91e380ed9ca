// SPDX-License-Identifier: Apache-2.0
import { devicetree, plainLpiController } from '@irqkit/conformance';
import { testIrqChip } from '@irqkit/conformance/irq-chip';
import { testModel } from '@irqkit/conformance/model';
import { toyPlugin } from './toys/toy-driver.js';
import { intc, toyMachine } from './toys/toy-machine.js';

const noInputs = { wired: 'it has no wired inputs' };
const noMessages = {
  msi: 'nothing writes to it',
  'multi-msi': 'nothing writes to it',
  exhaustion: 'inputs are not allocated',
};

testIrqChip(
  { describe, it },
  {
    plugin: toyPlugin(),
    others: [intc],
    setup: () => toyMachine('/msi@20000'),
    unsupported: noInputs,
  },
);
testModel(
  { describe, it },
  {
    plugin: toyPlugin(),
    others: [intc],
    setup: () => toyMachine('/msi@20000'),
    unsupported: noInputs,
  },
);

testIrqChip({ describe, it }, { plugin: intc, setup: () => toyMachine('/intc@10000'), unsupported: noMessages });
testModel(
  { describe, it },
  {
    plugin: intc,
    setup: () => toyMachine('/intc@10000'),
    unsupported: { msi: 'nothing writes to it', intids: 'it is the root' },
  },
);

const redistributors = {
  plugin: plainLpiController('acme,intc-with-lpis'),
  setup: () => ({
    ...toyMachine('/intc@10000'),
    firmware: devicetree({
      '#address-cells': 1,
      '#size-cells': 1,
      cpus: {
        '#address-cells': 1,
        '#size-cells': 0,
        'cpu@0': { device_type: 'cpu', reg: 0 },
        'cpu@1': { device_type: 'cpu', reg: 1 },
      },
      'intc@10000': {
        compatible: 'acme,intc-with-lpis',
        reg: [0x1_0000, 0x1000, 0x2_0000, 0x2_0000],
        'interrupt-controller': true,
        '#interrupt-cells': 3,
      },
    }),
  }),
};

testIrqChip({ describe, it }, { ...redistributors, unsupported: noMessages });
testModel(
  { describe, it },
  { ...redistributors, unsupported: { msi: 'its LPIs come through an ITS', intids: 'it is the root' } },
);
