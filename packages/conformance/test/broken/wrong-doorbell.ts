// SPDX-License-Identifier: Apache-2.0
// Composes the address of a second doorbell register, which hardware has and the registry does not know.

import { toyPlugin } from '../toys/toy-driver.js';
import { SETMSI, ToyModel } from '../toys/toy-model.js';
import type { AccessSize } from '@irqkit/core';

const ALIAS = SETMSI.offset + 4;

class TwoDoorbells extends ToyModel {
  override write(offset: number, value: number, size: AccessSize): void {
    super.write(offset === ALIAS ? SETMSI.offset : offset, value, size);
  }
}

export const wrongDoorbell = toyPlugin({
  messageOffset: ALIAS,
  makeModel: (context) => new TwoDoorbells(context),
});
