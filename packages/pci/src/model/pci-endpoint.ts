// SPDX-License-Identifier: Apache-2.0

import type { BarSpec } from './bar.js';
import { PciFunctionModel } from './pci-function-model.js';

/** A function with a type 0 header: answers in its BARs, writes memory and sends messages. */
export class PciEndpoint extends PciFunctionModel {
  /** @throws LinuxError EINVAL for BARs that the header cannot have */
  constructor(image: Uint8Array, bars: readonly BarSpec[]) {
    super(image, bars);
  }

  /** Reads memory at a bus address. False where bus mastering is off or nothing answered. */
  dmaLoad(address: number, into: Uint8Array): boolean {
    return this.upstream.load(address, into);
  }

  /** Writes memory at a bus address. False where bus mastering is off or nothing took it. */
  dmaStore(address: number, from: Uint8Array): boolean {
    return this.upstream.store(address, from);
  }
}
