// SPDX-License-Identifier: Apache-2.0
import { runs } from '@irqkit-test/env';
import { devicetree, plainController, testIommu, testModel } from '@irqkit/conformance';
import type { IommuMachine, IommuOptions } from '@irqkit/conformance';
import type { Silicon } from '@irqkit/core';
import { smmuV2 } from '@irqkit/smmu-v2';

const SMMU = '/iommu@2b400000';
const LEVEL_HIGH = 4;

interface Shape {
  /** Most specific first. */
  readonly compatible: readonly string[];
  readonly nrContextInterrupts: number;
  readonly sizeBytes?: number;
  readonly streamIds?: readonly [number, number];
  readonly foreign?: number;
  readonly silicon?: Silicon;
  readonly unsupported?: IommuOptions['unsupported'];
}

// The regions and interrupts of an Arm board's SMMU, with a controller of nobody's.
const firmware = ({ compatible, nrContextInterrupts, sizeBytes = 0x1_0000 }: Shape) =>
  devicetree({
    '#address-cells': 1,
    '#size-cells': 1,
    'interrupt-parent': 1,
    cpus: {
      '#address-cells': 1,
      '#size-cells': 0,
      'cpu@0': { device_type: 'cpu', reg: 0 },
      'cpu@1': { device_type: 'cpu', reg: 1 },
    },
    'memory@40000000': { device_type: 'memory', reg: [0x4000_0000, 0x2000_0000] },
    'intc@8000000': {
      compatible: 'acme,intc',
      reg: [0x800_0000, 0x1000],
      phandle: 1,
      'interrupt-controller': true,
      '#interrupt-cells': 3,
    },
    'iommu@2b400000': {
      compatible,
      reg: [0x2b40_0000, sizeBytes],
      interrupts: Array.from({ length: 1 + nrContextInterrupts }, (_, n) => [0, 64 + n, LEVEL_HIGH]).flat(),
      '#global-interrupts': 1,
      'dma-coherent': true,
      '#iommu-cells': 1,
    },
  });

const machine = (shape: Shape): IommuMachine => ({
  firmware: firmware(shape),
  path: SMMU,
  silicon: { [SMMU]: shape.silicon ?? {} },
  streamIds: shape.streamIds ?? [0x8, 0x210],
  // StreamIDs have 15 bits.
  foreignStreamIds: [shape.foreign ?? 0x8000],
});

const SHARED = { 'exclusive-ids': 'devices with one stream share its match register, and a group' };
const STAGE1 = { ...SHARED, 'write-only': 'stage 1 permissions let what is written be read' };
const MMU_500 = { compatible: ['arm,mmu-500'], nrContextInterrupts: 8 };

const SHAPES: Readonly<Record<string, Shape>> = {
  'MMU-500': { ...MMU_500, unsupported: STAGE1 },
  'MMU-500 with stage 2 alone': { ...MMU_500, silicon: { IDR0: 0x2c00_5e80 }, unsupported: SHARED },
  'MMU-500 with registers in pages of 64 KiB': {
    ...MMU_500,
    sizeBytes: 0x10_0000,
    silicon: { PAGESIZE: 1 },
    unsupported: STAGE1,
  },
  'MMU-500 with 64 KiB of granule alone': {
    ...MMU_500,
    silicon: { IDR0: 0x7e00_5e80, IDR2: 0x4555 },
    unsupported: STAGE1,
  },
  'MMU-401': { compatible: ['arm,mmu-401', 'arm,smmu-v1'], nrContextInterrupts: 1, unsupported: SHARED },
  'MMU-400': { compatible: ['arm,mmu-400', 'arm,smmu-v1'], nrContextInterrupts: 1, unsupported: SHARED },
  'SMMUv1 with stage 1': { compatible: ['arm,smmu-v1'], nrContextInterrupts: 2, unsupported: STAGE1 },
  'SMMUv2 with every granule': { compatible: ['arm,smmu-v2'], nrContextInterrupts: 8, unsupported: STAGE1 },
  'Marvell AP806': {
    compatible: ['marvell,ap806-smmu-500', 'arm,mmu-500'],
    nrContextInterrupts: 8,
    unsupported: STAGE1,
  },
  'Qualcomm SMMUv2': { compatible: ['qcom,smmu-v2'], nrContextInterrupts: 8, unsupported: STAGE1 },
  'stream indexing': {
    ...MMU_500,
    // SMS is 0, NUMSIDB 6.
    silicon: { IDR0: 0x7400_4c00 },
    streamIds: [0x8, 0x3f],
    foreign: 0x40,
    unsupported: STAGE1,
  },
  'extended StreamIDs': {
    compatible: ['cavium,smmu-v2'],
    nrContextInterrupts: 8,
    streamIds: [0x8, 0xffff],
    foreign: 0x1_0000,
    unsupported: STAGE1,
  },
};

describe.each(Object.entries(SHAPES))('%s', (_name, shape) => {
  const { unsupported = {} } = shape;
  const options = { plugin: smmuV2, others: [plainController('acme,intc')], setup: () => machine(shape) };
  testIommu({ describe, it }, { ...options, unsupported, nrOperations: runs(40, 2000) });
});

describe('its registers', () => {
  const wires = 'its interrupts are outputs';
  testModel(
    { describe, it },
    {
      plugin: smmuV2,
      others: [plainController('acme,intc')],
      setup: () => machine(MMU_500),
      unsupported: { msi: wires, wired: wires, intids: wires },
    },
  );
});
