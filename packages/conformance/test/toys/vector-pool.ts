// SPDX-License-Identifier: Apache-2.0
import { LinuxError } from '@irqkit/core';
import { TOY_INTIDS } from './toy-machine.js';

export class VectorPool {
  readonly #taken = new Set<number>();

  /** The first of `nr` vectors, aligned to `nr`. */
  take(nr: number): number {
    const isTaken = (first: number) => Array.from({ length: nr }, (_, i) => first + i).some((n) => this.#taken.has(n));
    let first = 0;
    while (first + nr <= TOY_INTIDS.count && isTaken(first)) first += nr;
    if (first + nr > TOY_INTIDS.count) throw new LinuxError('ENOSPC', `toy: no ${nr} vectors`);
    for (let i = 0; i < nr; i++) this.#taken.add(first + i);
    return first;
  }

  give(first: number, nr: number): void {
    for (let i = 0; i < nr; i++) this.#taken.delete(first + i);
  }
}
