// SPDX-License-Identifier: Apache-2.0
// Saves everything but where its devices are.

import type { State } from '@irqkit/core';
import { ToyIommuModel } from '../../toys/toy-iommu/model.js';
import { toyIommu } from '../../toys/toy-iommu/toy-iommu.js';

class Forgetful extends ToyIommuModel {
  override save(): State {
    return { ...super.save(), streams: new Uint32Array(this.streams.length), cache: new Map() };
  }
}

export const forgetsStreams = toyIommu({ Model: Forgetful });
