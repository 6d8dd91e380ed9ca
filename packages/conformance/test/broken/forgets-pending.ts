// SPDX-License-Identifier: Apache-2.0
// Saves what software has programmed, and not what has arrived since.

import type { State } from '@irqkit/core';
import { toyPlugin } from '../toys/toy-driver.js';
import { ToyModel } from '../toys/toy-model.js';

class Forgetful extends ToyModel {
  override save(): State {
    return { ...super.save(), pending: new Uint8Array(this.pending.length) };
  }
}

export const forgetsPending = toyPlugin({ makeModel: (context) => new Forgetful(context) });
