// SPDX-License-Identifier: Apache-2.0
// A toy MSI frame: a write of n to SETMSI raises vector n, at once where its ENABLE byte is 1, else when it becomes 1.

import { LinuxError } from '@irqkit/core';
import type { AccessSize, IrqSink, MmioModel, Model, ModelContext, State } from '@irqkit/core';
import { TOY_INTIDS } from './toy-machine.js';

export const SETMSI = { offset: 0x40 } as const;
/** One byte for each vector. */
export const ENABLE = { offset: 0x100 } as const;

const VERSION = 1;

export class ToyModel implements Model, MmioModel {
  readonly frames: readonly MmioModel[] = [this];
  protected readonly enabled = new Uint8Array(TOY_INTIDS.count);
  protected readonly pending = new Uint8Array(TOY_INTIDS.count);
  readonly #sink: IrqSink;

  constructor({ interruptParent }: ModelContext) {
    this.#sink = interruptParent.sink;
  }

  read(offset: number, _size: AccessSize): number {
    return this.enabled[offset - ENABLE.offset] ?? 0;
  }

  write(offset: number, value: number, size: AccessSize): void {
    const vector = offset - ENABLE.offset;
    if (vector in this.enabled) {
      this.enabled[vector] = value & 1;
      this.#deliver(vector);
    } else if (offset === SETMSI.offset && size === 4 && value < TOY_INTIDS.count) {
      this.pending[value] = 1;
      this.#deliver(value);
    }
  }

  save(): State {
    return { version: VERSION, enabled: this.enabled.slice(), pending: this.pending.slice() };
  }

  restore({ version, enabled, pending }: State): void {
    if (version !== VERSION || !(enabled instanceof Uint8Array) || !(pending instanceof Uint8Array))
      throw new LinuxError('EINVAL', 'toy: another version or shape');
    this.enabled.set(enabled);
    this.pending.set(pending);
  }

  #deliver(vector: number): void {
    if (this.enabled[vector] === 0 || this.pending[vector] === 0) return;
    this.pending[vector] = 0;
    this.#sink.setPending(TOY_INTIDS.first + vector);
  }
}
