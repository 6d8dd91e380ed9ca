// SPDX-License-Identifier: Apache-2.0
import { devicetree, testIommu } from '@irqkit/conformance';
import { acmeIommu } from './acme-iommu.js';

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
  'iommu@30000': { compatible: 'acme,iommu', reg: [0x3_0000, 0x1000], '#iommu-cells': 1 },
});

testIommu(
  { describe, it },
  {
    plugin: acmeIommu,
    setup: () => ({ firmware, path: '/iommu@30000', streamIds: [3, 17], foreignStreamIds: [32] }),
    unsupported: { blocked: 'streams that are off are reported as faults' },
  },
);
