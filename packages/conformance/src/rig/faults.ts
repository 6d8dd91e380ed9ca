// SPDX-License-Identifier: Apache-2.0

import { LinuxError } from '@irqkit/core';

/** Makes the k-th resource operation fail. */
export class Faults {
  #left = 0;
  #injected: LinuxError | undefined;

  /** The k-th step from now fails, counted from 1. */
  arm(k: number): void {
    this.#left = k;
    this.#injected = undefined;
  }

  /** No further step fails. Returns the error that was thrown since `arm`, where one was. */
  disarm(): LinuxError | undefined {
    this.#left = 0;
    return this.#injected;
  }

  /** Stands before each resource operation. @throws LinuxError ENOMEM where it is its turn */
  step(what: string): void {
    if (this.#left === 0 || --this.#left > 0) return;
    this.#injected = new LinuxError('ENOMEM', `fault injected at ${what}`);
    throw this.#injected;
  }
}
