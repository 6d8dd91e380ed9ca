// SPDX-License-Identifier: Apache-2.0
// The composition root: every controller and bus that this command line knows.

import type { Plugin } from '@irqkit/core';
import { gicV2 } from '@irqkit/gic-v2';
import { gicV2m } from '@irqkit/gic-v2m';
import { gicV3 } from '@irqkit/gic-v3';
import { gicV3Its } from '@irqkit/gic-v3-its';
import { pciHostGeneric } from '@irqkit/pci';
import { smmuV2 } from '@irqkit/smmu-v2';
import { smmuV3 } from '@irqkit/smmu-v3';

export const PLUGINS: readonly Plugin[] = [gicV2, gicV2m, gicV3, gicV3Its, smmuV2, smmuV3, pciHostGeneric];
