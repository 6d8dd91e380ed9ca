// SPDX-License-Identifier: Apache-2.0
// Does not look whether the hardware has a stream.

import type { Device, MappedId } from '@irqkit/core';
import { NR_STREAMS } from '../../toys/toy-iommu/regs.js';
import { toyIommu } from '../../toys/toy-iommu/toy-iommu.js';
import { ToyUnit } from '../../toys/toy-iommu/unit.js';

class Wrapping extends ToyUnit {
  override take(device: Device, ids: readonly MappedId[]): void {
    super.take(
      device,
      ids.map((id) => ({ ...id, id: id.id % NR_STREAMS })),
    );
  }
}

export const takesAnyId = toyIommu({ Unit: Wrapping });
