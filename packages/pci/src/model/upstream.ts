// SPDX-License-Identifier: Apache-2.0

import type { DmaPort } from '@irqkit/core';

/**
 * A function's way to memory and doorbells. Closed while bus mastering is off here or on a bridge above: requests are then
 * lost without a trace (PCI Express Base Specification 7.5.1.1.3, Bus Master Enable).
 */
export class Upstream {
  #port: DmaPort | undefined = undefined;

  connect(port: DmaPort | undefined): void {
    this.#port = port;
  }

  /** The id its requests carry above; undefined while closed. */
  get requesterId(): number | undefined {
    return this.#port?.requester.requesterId;
  }

  /** False where nothing took the word. */
  write32(address: number, value: number): boolean {
    const port = this.#port;
    return port !== undefined && port.write32(address, value);
  }

  load(address: number, into: Uint8Array): boolean {
    return this.#port?.load(address, into) ?? false;
  }

  store(address: number, from: Uint8Array): boolean {
    return this.#port?.store(address, from) ?? false;
  }
}
