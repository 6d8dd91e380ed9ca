// SPDX-License-Identifier: Apache-2.0
// Throws where software reads a byte.

import type { AccessSize } from '@irqkit/core';
import { toyPlugin } from '../toys/toy-driver.js';
import { ToyModel } from '../toys/toy-model.js';

class WordsOnly extends ToyModel {
  override read(offset: number, size: AccessSize): number {
    if (size === 1) throw new RangeError('registers are words');
    return super.read(offset, size);
  }
}

export const throwsOnBytes = toyPlugin({ makeModel: (context) => new WordsOnly(context) });
