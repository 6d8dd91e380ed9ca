// SPDX-License-Identifier: Apache-2.0
// All registers of an SMMU: the global spaces, then the context banks. Arm IHI 0062, "The SMMU address space".

import type { AccessSize, MmioModel, ModelLog } from '@irqkit/core';
import { registerLayout } from '../regs.js';
import type { RegisterLayout } from '../regs.js';
import { BankSpace } from './bank-space.js';
import { GlobalSpace0 } from './global-space-0.js';
import { GlobalSpace1 } from './global-space-1.js';
import type { SmmuParts } from './smmu-parts.js';
import type { SmmuRegisters } from './smmu-registers.js';

/** Every register of a space is below this offset, whatever the page size. */
const SPACE_BYTES = 0x1000;

export class SmmuFrame implements MmioModel {
  readonly #layout: RegisterLayout;
  readonly #nrBanks: number;
  readonly #space0: GlobalSpace0;
  readonly #space1: GlobalSpace1;
  readonly #banks: BankSpace;
  readonly #log: ModelLog;
  readonly #changed: () => void;

  /** `changed` is called after each write. */
  constructor(registers: SmmuRegisters, parts: SmmuParts, log: ModelLog, changed: () => void) {
    this.#layout = registerLayout(registers.parameters.idr1);
    this.#nrBanks = registers.parameters.nrContextBanks;
    this.#space0 = new GlobalSpace0(registers, parts, log);
    this.#space1 = new GlobalSpace1(registers, parts, log);
    this.#banks = new BankSpace(registers, parts, log);
    this.#log = log;
    this.#changed = changed;
  }

  read(offset: number, size: AccessSize): number {
    const page = this.#pageOf(offset, size);
    const at = offset % this.#layout.pageBytes;
    if (page === 0) return this.#space0.read(at);
    if (page === 1) return this.#space1.read(at);
    const bank = page - this.#layout.nrPages;
    return bank >= 0 && bank < this.#nrBanks ? this.#banks.read(bank, at) : 0;
  }

  write(offset: number, value: number, size: AccessSize): void {
    const page = this.#pageOf(offset, size);
    if (page < 0) return;
    const at = offset % this.#layout.pageBytes;
    if (page === 0) this.#space0.write(at, value >>> 0);
    else if (page === 1) this.#space1.write(at, value >>> 0);
    else this.#writeBank(page - this.#layout.nrPages, at, value >>> 0);
    this.#changed();
  }

  write64(offset: number, lo: number, hi: number): void {
    const { pageBytes, nrPages } = this.#layout;
    const bank = Math.floor(offset / pageBytes) - nrPages;
    const at = offset % pageBytes;
    if (offset % 8 !== 0) return this.#log.guest('SMMU access of 8 bytes at 0x%x', offset);
    if (bank >= 0 && bank < this.#nrBanks && this.#banks.write64(bank, at, lo >>> 0, hi >>> 0)) return this.#changed();
    this.write(offset, lo, 4);
    this.write(offset + 4, hi, 4);
  }

  #writeBank(bank: number, at: number, value: number): void {
    if (bank >= 0 && bank < this.#nrBanks) this.#banks.write(bank, at, value);
    else this.#log.guest('SMMU write to 0x%x of page %d, which is reserved', at, bank + this.#layout.nrPages);
  }

  // UNIMP: the performance monitors, and the other implementation-defined spaces
  // CHOICE: registers answer words and aligned doublewords; another width is RAZ/WI.
  #pageOf(offset: number, size: AccessSize): number {
    const { pageBytes, sizeBytes } = this.#layout;
    if (size !== 4 || offset % 4 !== 0) {
      this.#log.guest('SMMU access of %d bytes at 0x%x', size, offset);
      return -1;
    }
    return offset >= 0 && offset < sizeBytes && offset % pageBytes < SPACE_BYTES ? Math.floor(offset / pageBytes) : -1;
  }
}
