// SPDX-License-Identifier: Apache-2.0
// The kit on controllers that stand on one another, where the packages' own tests have a stand-in; and under node:test.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { devicetree, testIrqChip, testModel } from '@irqkit/conformance';
import type { DevicetreeNode, ModelMachine } from '@irqkit/conformance';
import { gicV2 } from '@irqkit/gic-v2';
import { gicV2m } from '@irqkit/gic-v2m';
import { acmeMailbox } from './support/acme-mailbox.js';

const machine = (name: string, frame: DevicetreeNode): ModelMachine => ({
  firmware: devicetree({
    '#address-cells': 1,
    '#size-cells': 1,
    'interrupt-parent': 1,
    cpus: {
      '#address-cells': 1,
      '#size-cells': 0,
      'cpu@0': { device_type: 'cpu', reg: 0 },
      'cpu@1': { device_type: 'cpu', reg: 1 },
    },
    'intc@8000000': {
      compatible: 'arm,cortex-a15-gic',
      reg: [0x800_0000, 0x1_0000, 0x801_0000, 0x1_0000],
      phandle: 1,
      '#address-cells': 1,
      '#size-cells': 1,
      ranges: true,
      'interrupt-controller': true,
      '#interrupt-cells': 3,
      [name]: { reg: [0x802_0000, 0x1000], 'msi-controller': true, ...frame },
    },
  }),
  path: `/intc@8000000/${name}`,
  intids: [{ first: 80, count: 64 }],
});

describe('GICv2m frames on a GICv2', () => {
  const setup = () => machine('v2m@8020000', { compatible: 'arm,gic-v2m-frame' });
  const options = { plugin: gicV2m, others: [gicV2], setup, unsupported: { wired: 'a frame has no inputs' } };
  testIrqChip({ describe, it }, options);
  testModel({ describe, it }, options);
});

describe('a third controller, which isolates', () => {
  testIrqChip(
    { describe, it },
    {
      plugin: acmeMailbox,
      others: [gicV2],
      setup: () => machine('mailbox@8020000', { compatible: 'acme,msi-mailbox', 'acme,first-intid': 80 }),
      unsupported: { wired: 'a mailbox has no inputs', 'multi-msi': 'each message has a slot of its own' },
    },
  );
});

describe('under node:test', () => {
  it('passes what jest passes, and reports what it skips by name', () => {
    const suite = fileURLToPath(new URL('support/gic-v2-under-node-test.mjs', import.meta.url));
    const { status, stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', suite], {
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^# fail 0$/m);
    expect(stdout).toMatch(/^ +ok \d+ - wired: raised once, each interrupt is delivered once, and no other is$/m);
    expect(stdout).toMatch(/^ +ok \d+ - msi: a foreign hwirq is EINVAL \(not supported: msi, .*\) # SKIP$/m);
    expect(status).toBe(0);
  });
});
