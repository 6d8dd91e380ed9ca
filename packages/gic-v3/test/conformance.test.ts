// SPDX-License-Identifier: Apache-2.0
import { devicetree, testIrqChip, testModel } from '@irqkit/conformance';
import type { DevicetreeNode, ModelMachine } from '@irqkit/conformance';
import type { Silicon } from '@irqkit/core';
import { VIRT_SILICON, gicV3 } from '@irqkit/gic-v3';

const PATH = '/intc@8000000';
const EDGE_RISING = 1;
const LEVEL_HIGH = 4;

const SPIS = [
  [0, 1, LEVEL_HIGH],
  [0, 3, EDGE_RISING],
  [0, 223, LEVEL_HIGH],
];
const NO_INTERRUPTS = [[0, 224, LEVEL_HIGH], [1, 16, LEVEL_HIGH], [9, 0, LEVEL_HIGH], [0, 1], []];

interface Shape {
  readonly compatible: string;
  /** Distributor, then regions of Redistributors. */
  readonly reg: readonly number[];
  readonly properties?: DevicetreeNode;
  readonly silicon?: Silicon;
  readonly inputs: readonly (readonly number[])[];
  readonly foreignInputs: readonly (readonly number[])[];
}

const GICD = [0x800_0000, 0x1_0000];

const SHAPES: Readonly<Record<string, Shape>> = {
  'the GICv3 of QEMU virt': {
    compatible: 'arm,gic-v3',
    reg: [...GICD, 0x80a_0000, 0x4_0000],
    inputs: SPIS,
    foreignInputs: NO_INTERRUPTS,
  },
  'a region of Redistributors for each processor': {
    compatible: 'arm,gic-v3',
    reg: [...GICD, 0x80a_0000, 0x2_0000, 0x90a_0000, 0x2_0000],
    properties: { '#redistributor-regions': 2 },
    inputs: SPIS,
    foreignInputs: NO_INTERRUPTS,
  },
  'Redistributors at a stride': {
    compatible: 'arm,gic-v3',
    reg: [...GICD, 0x80a_0000, 0x8_0000],
    properties: { 'redistributor-stride': [0, 0x4_0000] },
    inputs: SPIS,
    foreignInputs: NO_INTERRUPTS,
  },
  'SPIs of the extended range': {
    compatible: 'arm,gic-v3',
    reg: [...GICD, 0x80a_0000, 0x4_0000],
    // ESPI_range 1: 64 of them.
    silicon: { GICD_TYPER: VIRT_SILICON.GICD_TYPER + 0x0800_0100 },
    inputs: [...SPIS, [2, 0, EDGE_RISING], [2, 63, LEVEL_HIGH]],
    foreignInputs: [...NO_INTERRUPTS, [2, 64, LEVEL_HIGH]],
  },
  MSM8996: {
    compatible: 'qcom,msm8996-gic-v3',
    reg: [...GICD, 0x80a_0000, 0x4_0000],
    inputs: SPIS,
    foreignInputs: NO_INTERRUPTS,
  },
};

const machine = ({ compatible, reg, properties, silicon, inputs, foreignInputs }: Shape): ModelMachine => ({
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
      reg,
      'interrupt-controller': true,
      '#interrupt-cells': 3,
      ...properties,
    },
  }),
  path: PATH,
  silicon: silicon && { [PATH]: silicon },
  inputs,
  foreignInputs,
});

describe.each(Object.entries(SHAPES))('%s', (_name, shape) => {
  const setup = (): ModelMachine => machine(shape);
  const msi = 'its node names no message-based SPIs';
  testIrqChip({ describe, it }, { plugin: gicV3, setup, unsupported: { msi } });
  testModel({ describe, it }, { plugin: gicV3, setup, unsupported: { msi, intids: 'it is the root' } });
});
