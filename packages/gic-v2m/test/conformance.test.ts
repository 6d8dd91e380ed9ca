// SPDX-License-Identifier: Apache-2.0
import { devicetree, plainController, testIrqChip, testModel } from '@irqkit/conformance';
import type { DevicetreeNode, ModelMachine } from '@irqkit/conformance';
import type { Silicon } from '@irqkit/core';
import { GRAVITON_COMPATIBLE, gicV2m } from '@irqkit/gic-v2m';

const gic = plainController('arm,cortex-a15-gic');
const PATH = '/intc@8000000/v2m@8020000';

interface Shape {
  readonly compatible?: string;
  readonly silicon?: Silicon;
  /** Properties of the frame. */
  readonly properties?: DevicetreeNode;
  readonly intids: ModelMachine['intids'];
  /** A second frame beside it. */
  readonly second?: DevicetreeNode;
}

const machine = ({ compatible = 'arm,gic-v2m-frame', silicon, properties, intids, second }: Shape): ModelMachine => ({
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
      compatible: 'arm,cortex-a15-gic',
      reg: [0x800_0000, 0x1000],
      '#address-cells': 1,
      '#size-cells': 1,
      ranges: true,
      'interrupt-controller': true,
      '#interrupt-cells': 3,
      'v2m@8020000': { compatible, reg: [0x802_0000, 0x2000], 'msi-controller': true, ...properties },
      ...(second && { 'v2m@8030000': second }),
    },
  }),
  path: PATH,
  silicon: silicon && { [PATH]: silicon },
  intids,
});

// MSI_TYPER: 64 SPIs from INTID 64, and for QEMU's virt from INTID 80. MSI_IIDR: those that Linux 6.1 knows variants by.
const MSI_TYPER = 0x0040_0040;
const FROM_64 = [{ first: 64, count: 64 }];

const SHAPES: Readonly<Record<string, Shape>> = {
  'the frame of QEMU virt': { intids: [{ first: 80, count: 64 }] },
  'apm-xgene': { silicon: { MSI_TYPER, MSI_IIDR: 0x0600_0170 }, intids: FROM_64 },
  'brcm-ns2': { silicon: { MSI_TYPER, MSI_IIDR: 0x0000_013f }, intids: FROM_64 },
  'a frame whose node overrides MSI_TYPER': {
    properties: { 'arm,msi-base-spi': 100, 'arm,msi-num-spis': 6 },
    intids: [{ first: 100, count: 6 }],
  },
  'two frames': {
    properties: { 'arm,msi-base-spi': 64, 'arm,msi-num-spis': 3 },
    intids: [{ first: 64, count: 3 }],
    second: {
      compatible: 'arm,gic-v2m-frame',
      reg: [0x803_0000, 0x1000],
      'msi-controller': true,
      'arm,msi-base-spi': 96,
      'arm,msi-num-spis': 32,
    },
  },
  'amazon-graviton': {
    compatible: GRAVITON_COMPATIBLE,
    properties: { 'arm,msi-base-spi': 64, 'arm,msi-num-spis': 64 },
    intids: FROM_64,
  },
};

describe.each(Object.entries(SHAPES))('%s', (name, shape) => {
  const wired = { wired: 'a frame has no inputs' };
  const options = { plugin: gicV2m, others: [gic], setup: () => machine(shape) };
  const blocks = name === 'amazon-graviton' && { 'multi-msi': 'each SPI has an address of its own' };
  // Each step of enabling 32 vectors is failed in turn on the frame that has room for them.
  const nrVectors = name === 'the frame of QEMU virt' ? 32 : undefined;
  testIrqChip({ describe, it }, { ...options, nrVectors, unsupported: { ...wired, ...blocks } });
  testModel({ describe, it }, { ...options, unsupported: wired });
});
