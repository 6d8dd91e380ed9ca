// SPDX-License-Identifier: Apache-2.0
// The toys in the shapes that let a port remember its way: a doorbell at SET, and an IOMMU with a generation.

import { definePlugin } from '@irqkit/core';
import type { Doorbell, Plugin, Requester, State } from '@irqkit/core';
import { Dev, Intc, Iommu, Regs } from './models.js';

export class RoutedIntc extends Intc {
  /** What came by the doorbell, not by a write of the frame. */
  readonly rung: { deviceId: number; data: number }[] = [];
  /** Runs in the doorbell, before it raises anything. */
  onSignal: (() => void) | undefined;
  readonly #doorbell: Doorbell = {
    signal: (deviceId, data) => {
      this.onSignal?.();
      this.rung.push({ deviceId, data });
      this.sink.setPending(data);
    },
    isPending: (_, data) => this.pending.has(data),
  };

  doorbellAt(offset: number): Doorbell | undefined {
    return offset === 4 ? this.#doorbell : undefined;
  }
}

export class RoutedIommu extends Iommu {
  generation = 1;
  /** A register: while it is set, every access faults. */
  #abort = false;

  override map(streamId: number, page: number, pa: number, writable = true): void {
    super.map(streamId, page, pa, writable);
    this.generation++;
  }

  setAbort(abort: boolean): void {
    this.#abort = abort;
    this.generation++;
  }

  override translate(by: Requester, address: number, write: boolean): number {
    const pa = super.translate(by, address, write);
    return this.#abort ? -1 : pa;
  }

  override save(): State {
    return { version: 1, abort: this.#abort, generation: this.generation };
  }

  /** Puts its generation back, as no model should. */
  override restore(state?: State): void {
    this.#abort = state!['abort'] as boolean;
    this.generation = state!['generation'] as number;
  }
}

export const routedToys: Plugin = definePlugin({
  name: 'routed-toys',
  coreApi: 1,
  models: [
    { compatible: ['toy,intc'], useFactory: (context) => new RoutedIntc(context) },
    { compatible: ['toy,dev'], useFactory: (context) => new Dev(context) },
    { compatible: ['toy,regs'], useFactory: (context) => new Regs(context) },
    { compatible: ['toy,iommu'], useFactory: (context) => new RoutedIommu(context) },
  ],
});
