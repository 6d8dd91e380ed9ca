// SPDX-License-Identifier: Apache-2.0
// Configuration accesses through an ECAM window. PCI Express Base Specification 7.2.2; Linux 6.1 drivers/pci/ecam.c (behaviour).

import { hex } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { AccessSize, MmioRegion } from '@irqkit/core';
import { CONFIG_SPACE_BYTES, ECAM } from '../regs.js';

export class Ecam {
  /** Buses [first, last] lie in the window; the first one at its start. */
  readonly firstBus: number;
  readonly lastBus: number;
  readonly #region: MmioRegion;

  /** `lastBus` is cut to what the window can hold. */
  constructor(region: MmioRegion, firstBus: number, lastBus: number) {
    this.#region = region;
    this.firstBus = firstBus;
    this.lastBus = Math.min(lastBus, firstBus + Math.floor(region.sizeBytes / ECAM.bytesPerBus) - 1);
  }

  /** @throws LinuxError EFAULT for a register that is misaligned or beyond the space @linux pci_ecam_map_bus */
  read(bus: number, devfn: number, offset: number, size: AccessSize): number {
    return this.#region.read(this.#at(bus, devfn, offset, size), size);
  }

  /** @throws LinuxError EFAULT */
  write(bus: number, devfn: number, offset: number, value: number, size: AccessSize): void {
    this.#region.write(this.#at(bus, devfn, offset, size), value, size);
  }

  #at(bus: number, devfn: number, offset: number, size: AccessSize): number {
    if (!Number.isInteger(offset) || offset < 0 || offset >= CONFIG_SPACE_BYTES.EXTENDED || offset % size !== 0)
      throw new LinuxError('EFAULT', `no ${size}-byte configuration register at ${hex(offset)}`);
    return (bus - this.firstBus) * ECAM.bytesPerBus + ECAM.devfn.set(offset, devfn);
  }
}
