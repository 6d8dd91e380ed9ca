// SPDX-License-Identifier: Apache-2.0
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
