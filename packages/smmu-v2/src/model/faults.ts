// SPDX-License-Identifier: Apache-2.0
// How faults are recorded: context faults in the bank that met them, global ones in GFSR. Arm IHI 0062, "Fault handling".

import { WALK_ACCESS, WALK_FAULT } from '@irqkit/pgtable/walk';
import {
  ARCHITECTURE,
  CBFRSYNRA,
  FAR,
  FSR,
  FSR_FORMAT,
  FSYNR0,
  GFSR,
  GFSYNR0,
  GFSYNR1,
  IPAFAR,
  SCTLR,
} from '../regs.js';
import type { Interrupts } from './interrupts.js';
import { wordAt } from './regimes.js';
import { FSR_FAULTS } from './smmu-registers.js';
import type { SmmuRegisters } from './smmu-registers.js';

/** A transaction as its fault is recorded: filled in place. `hi` and `lo` are the address. */
export interface Transaction {
  sid: number;
  hi: number;
  lo: number;
  write: boolean;
  /** WALK_ACCESS bits. */
  access: number;
}

export class Faults {
  readonly #registers: SmmuRegisters;
  readonly #interrupts: Interrupts;
  readonly #blocked: () => void;

  /** `blocked` is called when a bank begins to terminate everything, as a fault is outstanding and SCTLR.HUPCF is 0. */
  constructor(registers: SmmuRegisters, interrupts: Interrupts, blocked: () => void) {
    this.#registers = registers;
    this.#interrupts = interrupts;
    this.#blocked = blocked;
  }

  /** True while a bank terminates everything. */
  isBlocked(bank: number): boolean {
    const words = this.#registers.bank(bank);
    return (wordAt(words, FSR) & FSR_FAULTS) !== 0 && SCTLR.HUPCF(wordAt(words, SCTLR)) === 0;
  }

  /** `why` is a WALK_FAULT, `syndrome` holds FSYNR0 bits beside those of the transaction; `ipa` is -1 outside stage 2. */
  recordContext(bank: number, why: number, of: Transaction, syndrome: number, ipa: number): void {
    const registers = this.#registers;
    const words = registers.bank(bank);
    const at = FSR.offset / 4;
    if ((words[at] & FSR_FAULTS) !== 0) words[at] |= FSR.MULTI.mask;
    else {
      words[at] = FSR.FORMAT.set(this.#bitOf(why), this.#formatOf(bank));
      words[FAR.offset / 4] = of.lo;
      words[FAR.offset / 4 + 1] = of.hi;
      words[FSYNR0.offset / 4] = syndrome | contextSyndrome(of);
      registers.cbfrsynra[bank] = CBFRSYNRA.StreamID.set(0, of.sid);
      if (ipa >= 0) IPAFAR.FADDR.put(words.subarray(IPAFAR.offset / 4), ipa);
    }
    if (this.#interrupts.indexOf(bank) >= this.#nrInterrupts) this.#record(GFSR.UCIF.mask, of);
    this.#interrupts.updateBank(bank);
    if (SCTLR.HUPCF(wordAt(words, SCTLR)) === 0) this.#blocked();
  }

  /** `bit` is that of GFSR. */
  recordGlobal(bit: number, of: Transaction): void {
    this.#record(bit, of);
  }

  get #nrInterrupts(): number {
    const { version, nrContextInterrupts, nrContextBanks } = this.#registers.parameters;
    return version >= ARCHITECTURE.V2 ? nrContextBanks : nrContextInterrupts;
  }

  // CHOICE: of a fault while another is recorded, MULTI alone is: the first one's registers and bit stand.
  #record(bit: number, of: Transaction): void {
    const registers = this.#registers;
    if (registers.gfsr !== 0) registers.gfsr = (registers.gfsr | GFSR.MULTI.mask) >>> 0;
    else {
      registers.gfsr = bit;
      registers.gfar[0] = of.lo;
      registers.gfar[1] = of.hi;
      registers.gfsynr0 = globalSyndrome(of);
      registers.gfsynr1 = GFSYNR1.StreamID.set(0, of.sid);
    }
    this.#interrupts.updateGlobal();
  }

  // CHOICE: an address size fault of an SMMUv1, whose FSR has no ASF, is a translation fault.
  #bitOf(why: number): number {
    switch (why) {
      case WALK_FAULT.ACCESS_FLAG:
        return FSR.AFF.mask;
      case WALK_FAULT.PERMISSION:
        return FSR.PF.mask;
      case WALK_FAULT.EXTERNAL_ABORT:
        return FSR.EF.mask;
      case WALK_FAULT.ADDRESS_SIZE:
        return this.#registers.parameters.version >= ARCHITECTURE.V2 ? FSR.ASF.mask : FSR.TF.mask;
      default:
        return FSR.TF.mask;
    }
  }

  #formatOf(bank: number): number {
    if (this.#registers.parameters.version < ARCHITECTURE.V2) return 0;
    return this.#registers.isAarch64(bank) ? FSR_FORMAT.AARCH64 : FSR_FORMAT.AARCH32_LONG;
  }
}

function contextSyndrome({ write, access }: Transaction): number {
  return (
    (write ? FSYNR0.WNR.mask : 0) |
    ((access & WALK_ACCESS.PRIVILEGED) !== 0 ? FSYNR0.PNU.mask : 0) |
    ((access & WALK_ACCESS.INSTRUCTION) !== 0 ? FSYNR0.IND.mask : 0)
  );
}

function globalSyndrome({ write, access }: Transaction): number {
  return (
    (write ? GFSYNR0.WNR.mask : 0) |
    ((access & WALK_ACCESS.PRIVILEGED) !== 0 ? GFSYNR0.PNU.mask : 0) |
    ((access & WALK_ACCESS.INSTRUCTION) !== 0 ? GFSYNR0.IND.mask : 0)
  );
}
