// SPDX-License-Identifier: Apache-2.0
// The kit on controllers that stand on one another, where the packages' own tests have a stand-in; and under node:test.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { devicetree, testIrqChip, testModel } from '@irqkit/conformance';
import type { DevicetreeNode, ModelMachine } from '@irqkit/conformance';
import { gicV2 } from '@irqkit/gic-v2';
import { gicV2m } from '@irqkit/gic-v2m';
import { gicV3 } from '@irqkit/gic-v3';
import { VIRT_SILICON, gicV3Its } from '@irqkit/gic-v3-its';
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

describe('an ITS on a GICv3', () => {
  const its = '/intc@8000000/its@8080000';
  // The regions that QEMU virt's GICv3 and ITS have, with two processors.
  const setup = (): ModelMachine => ({
    firmware: devicetree({
      '#address-cells': 1,
      '#size-cells': 1,
      'interrupt-parent': 1,
      'memory@40000000': { device_type: 'memory', reg: [0x4000_0000, 0x1000_0000] },
      cpus: {
        '#address-cells': 1,
        '#size-cells': 0,
        'cpu@0': { device_type: 'cpu', reg: 0 },
        'cpu@1': { device_type: 'cpu', reg: 1 },
      },
      'intc@8000000': {
        compatible: 'arm,gic-v3',
        reg: [0x800_0000, 0x1_0000, 0x80a_0000, 0x4_0000],
        phandle: 1,
        '#address-cells': 1,
        '#size-cells': 1,
        ranges: true,
        'interrupt-controller': true,
        '#interrupt-cells': 3,
        'its@8080000': {
          compatible: 'arm,gic-v3-its',
          reg: [0x808_0000, 0x2_0000],
          'msi-controller': true,
          '#msi-cells': 1,
        },
      },
    }),
    path: its,
    silicon: { [its]: VIRT_SILICON },
  });
  const options = { plugin: gicV3Its, others: [gicV3], setup };
  const wired = 'an ITS has no inputs';
  const exhaustion = 'a device takes all of its 2048 vectors';
  testIrqChip({ describe, it }, { ...options, unsupported: { wired, exhaustion } });
  testModel({ describe, it }, { ...options, unsupported: { wired, intids: 'it raises LPIs alone, by redistributor' } });
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
