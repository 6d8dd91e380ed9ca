// SPDX-License-Identifier: Apache-2.0
// The plugin of the README's example.

import { toyIommu } from './toys/toy-iommu/toy-iommu.js';

export const acmeIommu = toyIommu();
