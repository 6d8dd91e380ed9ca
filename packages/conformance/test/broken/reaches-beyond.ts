// SPDX-License-Identifier: Apache-2.0
// Raises whatever INTID is written to a forgotten register.

import type { AccessSize, ModelContext } from '@irqkit/core';
import { toyPlugin } from '../toys/toy-driver.js';
import { ToyModel } from '../toys/toy-model.js';

class Unchecked extends ToyModel {
  constructor(private readonly context: ModelContext) {
    super(context);
  }

  override write(offset: number, value: number, size: AccessSize): void {
    if (offset === 0x80 && size === 4) this.context.interruptParent.sink.setPending(value);
    else super.write(offset, value, size);
  }
}

export const reachesBeyond = toyPlugin({ makeModel: (context) => new Unchecked(context) });
