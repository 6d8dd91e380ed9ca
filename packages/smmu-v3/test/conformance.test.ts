// SPDX-License-Identifier: Apache-2.0
import { runs } from '@irqkit-test/env';
import { devicetree, plainController, testIommu, testModel } from '@irqkit/conformance';
import type { IommuMachine, IommuOptions } from '@irqkit/conformance';
import type { Silicon } from '@irqkit/core';
import { VIRT_NESTED_SILICON, VIRT_SILICON, VIRT_STAGE2_SILICON, smmuV3 } from '@irqkit/smmu-v3';

const SMMU = '/smmuv3@9050000';
const EDGE_RISING = 1;

// The regions and interrupts that QEMU virt's SMMU has, with a controller of nobody's.
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
  'memory@40000000': { device_type: 'memory', reg: [0x4000_0000, 0x2000_0000] },
  'intc@8000000': {
    compatible: 'acme,intc',
    reg: [0x800_0000, 0x1000],
    phandle: 1,
    'interrupt-controller': true,
    '#interrupt-cells': 3,
  },
  'smmuv3@9050000': {
    compatible: 'arm,smmu-v3',
    reg: [0x905_0000, 0x2_0000],
    interrupts: [0, 74, EDGE_RISING, 0, 75, EDGE_RISING, 0, 76, EDGE_RISING, 0, 77, EDGE_RISING],
    'interrupt-names': ['eventq', 'priq', 'cmdq-sync', 'gerror'],
    'dma-coherent': true,
    '#iommu-cells': 1,
  },
});

const machine = (silicon: Silicon): IommuMachine => ({
  firmware,
  path: SMMU,
  silicon: { [SMMU]: silicon },
  // In two second-level tables, where the stream table has two levels.
  streamIds: [0x8, 0x210],
  // IDR1.SIDSIZE is 16.
  foreignStreamIds: [0x1_0000],
});

const STAGE1 = { 'write-only': 'stage 1 permissions let what is written be read' };

const SHAPES: Readonly<Record<string, readonly [silicon: Silicon, unsupported: IommuOptions['unsupported']]>> = {
  'stage 1': [VIRT_SILICON, STAGE1],
  'stage 2': [VIRT_STAGE2_SILICON, {}],
  'both stages': [VIRT_NESTED_SILICON, STAGE1],
  // IDR3.RIL is bit 10.
  'invalidation without ranges': [{ ...VIRT_SILICON, IDR3: VIRT_SILICON.IDR3 - 0x400 }, STAGE1],
  // IDR0.ST_LEVEL, bits 28:27, is 0; IDR1.SIDSIZE, bits 5:0, stays 16.
  'a linear stream table': [{ ...VIRT_SILICON, IDR0: VIRT_SILICON.IDR0 - 0x800_0000 }, STAGE1],
  // IDR5 with GRAN16K (bit 5) or GRAN64K (bit 6) alone, and 44 bits of output.
  'pages of 16 KiB': [{ ...VIRT_SILICON, IDR5: 0x24 }, STAGE1],
  'pages of 64 KiB': [{ ...VIRT_SILICON, IDR5: 0x44 }, STAGE1],
};

describe.each(Object.entries(SHAPES))('%s', (_name, [silicon, unsupported]) => {
  const options = { plugin: smmuV3, others: [plainController('acme,intc')], setup: () => machine(silicon) };
  testIommu({ describe, it }, { ...options, unsupported, nrOperations: runs(100, 2000) });
});

describe('its registers', () => {
  const wires = 'its interrupts are outputs';
  testModel(
    { describe, it },
    {
      plugin: smmuV3,
      others: [plainController('acme,intc')],
      setup: () => machine(VIRT_NESTED_SILICON),
      unsupported: { msi: wires, wired: wires, intids: wires },
    },
  );
});
