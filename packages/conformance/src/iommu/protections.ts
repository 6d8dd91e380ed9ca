// SPDX-License-Identifier: Apache-2.0

import { IOMMU_PROT } from '@irqkit/core';

export const RW = IOMMU_PROT.READ | IOMMU_PROT.WRITE;
