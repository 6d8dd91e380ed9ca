// SPDX-License-Identifier: Apache-2.0
// A machine for the toy IOMMU: RAM, two processors and the IOMMU.

import { devicetree } from '@irqkit/conformance';
import type { IommuMachine } from '@irqkit/conformance';
import { IOMMU_COMPATIBLE } from './toy-iommu.js';

const firmware = devicetree({
  '#address-cells': 1,
  '#size-cells': 1,
  cpus: {
    '#address-cells': 1,
    '#size-cells': 0,
    'cpu@0': { device_type: 'cpu', reg: 0 },
    'cpu@1': { device_type: 'cpu', reg: 1 },
  },
  'memory@40000000': { device_type: 'memory', reg: [0x4000_0000, 0x1000_0000] },
  'iommu@30000': { compatible: IOMMU_COMPATIBLE, reg: [0x3_0000, 0x1000], phandle: 1, '#iommu-cells': 1 },
});

export function toyIommuMachine(): IommuMachine {
  return { firmware, path: '/iommu@30000', streamIds: [3, 17], foreignStreamIds: [32, 0x1_0000] };
}
