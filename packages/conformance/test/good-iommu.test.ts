// SPDX-License-Identifier: Apache-2.0
import { testIommu } from '@irqkit/conformance/iommu';
import { testModel } from '@irqkit/conformance/model';
import { toyIommuMachine } from './toys/toy-iommu/machine.js';
import { msiBypass } from './toys/toy-iommu/msi-bypass.js';
import { toyIommu } from './toys/toy-iommu/toy-iommu.js';

testIommu({ describe, it }, { plugin: toyIommu(), setup: toyIommuMachine });
testIommu({ describe, it }, { plugin: msiBypass, setup: toyIommuMachine, unsupported: { msi: 'messages bypass it' } });
testModel(
  { describe, it },
  {
    plugin: toyIommu(),
    setup: toyIommuMachine,
    unsupported: { msi: 'it raises nothing', wired: 'it raises nothing', intids: 'it raises nothing' },
  },
);
