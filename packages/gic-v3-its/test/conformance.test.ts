// SPDX-License-Identifier: Apache-2.0
import { devicetree, plainLpiController, testIrqChip, testModel } from '@irqkit/conformance';
import type { DevicetreeNode, ModelMachine } from '@irqkit/conformance';
import type { Silicon } from '@irqkit/core';
import { KVM_LAYOUT_SILICON, VIRT_SILICON, gicV3Its } from '@irqkit/gic-v3-its';

const ITS = '/intc@8000000/its@8080000';

const itsMachine = (its: Silicon, frame: DevicetreeNode = {}): ModelMachine => ({
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
      compatible: 'acme,intc-with-lpis',
      reg: [0x800_0000, 0x1000, 0x80a_0000, 0x2_0000],
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
        ...frame,
      },
    },
  }),
  path: ITS,
  silicon: { [ITS]: its },
});

const SHAPES: Readonly<Record<string, () => ModelMachine>> = {
  "an ITS with KVM's tables": () => itsMachine(KVM_LAYOUT_SILICON),
  "an ITS with QEMU's tables": () => itsMachine(VIRT_SILICON),
  'an ITS that stalls at errors': () => itsMachine({ ...VIRT_SILICON, stallOnError: 1 }),
  'an ITS behind a pre-ITS': () =>
    itsMachine(KVM_LAYOUT_SILICON, { 'socionext,synquacer-pre-its': [0x5800_0000, 0x20_0000] }),
};

describe.each(Object.entries(SHAPES))('%s', (_name, setup) => {
  const options = { plugin: gicV3Its, others: [plainLpiController('acme,intc-with-lpis')], setup };
  const wired = 'an ITS has no inputs';
  const exhaustion = 'a device takes all of its 2048 vectors';
  testIrqChip({ describe, it }, { ...options, unsupported: { wired, exhaustion } });
  testModel({ describe, it }, { ...options, unsupported: { wired, intids: 'it raises LPIs alone, by redistributor' } });
});
