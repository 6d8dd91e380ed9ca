// SPDX-License-Identifier: Apache-2.0
// The registers of an SMMU that hold something, as they are after reset. Arm IHI 0062, "Register descriptions".

import { CBA2R, CBAR, CBAR_TYPE, CR0, FSR } from '../regs.js';
import type { SmmuParameters } from '../silicon.js';

/** A bank's registers from 0x000 to 0x078 are its words, by their offsets; the last word is the latch of 64-bit operations. */
export const BANK_WORDS = 32;
export const LATCH_WORD = 31;
/** The faults of FSR, without their format. */
export const FSR_FAULTS = ~FSR.FORMAT.mask;

const HEAD_WORDS = 8;

export class SmmuRegisters {
  cr0: number = CR0.CLIENTPD.mask;
  cr2 = 0;
  acr: number;
  readonly gfar = new Uint32Array(2);
  gfsr = 0;
  gfsynr0 = 0;
  gfsynr1 = 0;
  readonly smr: Uint32Array;
  readonly s2cr: Uint32Array;
  readonly cbar: Uint32Array;
  readonly cbfrsynra: Uint32Array;
  readonly cba2r: Uint32Array;
  readonly parameters: SmmuParameters;
  readonly #words: Uint32Array;
  readonly #banks: readonly Uint32Array[];

  constructor(parameters: SmmuParameters) {
    this.parameters = parameters;
    this.acr = parameters.acr;
    const { nrStreamGroups, nrContextBanks, actlr } = parameters;
    this.smr = new Uint32Array(nrStreamGroups);
    this.s2cr = new Uint32Array(nrStreamGroups);
    this.cbar = new Uint32Array(nrContextBanks);
    this.cbfrsynra = new Uint32Array(nrContextBanks);
    this.cba2r = new Uint32Array(nrContextBanks);
    this.#words = new Uint32Array(nrContextBanks * BANK_WORDS);
    this.#banks = Array.from(this.cbar, (_, n) => this.#words.subarray(n * BANK_WORDS, (n + 1) * BANK_WORDS));
    for (const bank of this.#banks) bank[1] = actlr;
  }

  /** The words of an implemented bank. */
  bank(n: number): Uint32Array {
    return this.#banks[n];
  }

  /** CR0.EXIDENABLE is effective. */
  get extendedIds(): boolean {
    return this.parameters.extendedIds && CR0.EXIDENABLE(this.cr0) === 1;
  }

  /** CBAR_TYPE of a bank. */
  typeOf(n: number): number {
    return n < this.parameters.nrStage2Banks ? CBAR_TYPE.STAGE2 : CBAR.TYPE(this.cbar[n]);
  }

  /** The VMID of a bank's translations: with two stages, it is that of the bank of stage 2. */
  vmidOf(n: number): number {
    const nested = this.typeOf(n) === CBAR_TYPE.STAGE1_STAGE2;
    const at = nested ? CBAR.CBNDX(this.cbar[n]) : n;
    if (at >= this.cbar.length) return 0;
    const wide = this.parameters.vmid16 && CR0.VMID16EN(this.cr0) === 1;
    return wide ? CBA2R.VMID16(this.cba2r[at]) : CBAR.VMID(this.cbar[at]);
  }

  /** True where a bank translates by AArch64 tables. */
  isAarch64(n: number): boolean {
    const { va64, aarch32 } = this.parameters;
    return va64 && (!aarch32 || CBA2R.VA64(this.cba2r[n]) === 1);
  }

  save(): Uint32Array {
    const words = new Uint32Array(this.nrStateWords);
    words.set([this.cr0, this.cr2, this.acr, ...this.gfar, this.gfsr, this.gfsynr0, this.gfsynr1]);
    let at = HEAD_WORDS;
    for (const array of this.#arrays) {
      words.set(array, at);
      at += array.length;
    }
    return words;
  }

  /** `words` has `nrStateWords`. */
  restore(words: Uint32Array): void {
    [this.cr0, this.cr2, this.acr, this.gfar[0], this.gfar[1], this.gfsr, this.gfsynr0, this.gfsynr1] = words;
    let at = HEAD_WORDS;
    for (const array of this.#arrays) {
      array.set(words.subarray(at, at + array.length));
      at += array.length;
    }
  }

  get nrStateWords(): number {
    return this.#arrays.reduce((sum, { length }) => sum + length, HEAD_WORDS);
  }

  get #arrays(): readonly Uint32Array[] {
    return [this.smr, this.s2cr, this.cbar, this.cbfrsynra, this.cba2r, this.#words];
  }
}
