// SPDX-License-Identifier: Apache-2.0
// Wires that end at one input of an interrupt controller: it is high while any of them is.

import type { InterruptSpec, IrqLine } from '@irqkit/core';

export class Net {
  #nrHigh = 0;
  #input: IrqLine | undefined;

  constructor(readonly spec: InterruptSpec) {}

  /** Wires may be driven before their controller stands. */
  connect(input: IrqLine | undefined): void {
    this.#input = input;
    if (this.#nrHigh > 0) input?.set(true);
  }

  drive(level: boolean): void {
    this.#nrHigh += level ? 1 : -1;
    if (this.#nrHigh === (level ? 1 : 0)) this.#input?.set(level);
  }

  /** Takes a level over that the input knows already. */
  adopt(nrHigh: number): void {
    this.#nrHigh = nrHigh;
  }
}
