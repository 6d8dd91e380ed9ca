// SPDX-License-Identifier: Apache-2.0
// The Distributor's register frame (GICD), with affinity routing and one Security state. Arm IHI 0069 section 12.9.

import type { AccessSize, MmioModel, ModelLog } from '@irqkit/core';
import {
  GICD_CLRSPI_NSR,
  GICD_CTLR,
  GICD_ICFGR,
  GICD_ICFGRnE,
  GICD_ID,
  GICD_IGROUPR,
  GICD_IGROUPRnE,
  GICD_IIDR,
  GICD_IPRIORITYR,
  GICD_IPRIORITYRnE,
  GICD_IROUTER,
  GICD_IROUTERnE,
  GICD_SETSPI_NSR,
  GICD_TYPER,
  GICD_TYPER2,
} from '../regs.js';
import type { GicV3Parameters } from '../silicon.js';
import type { Forwarding } from './forwarding.js';
import { isIn, readId } from './id-registers.js';
import type { InterruptBanks } from './interrupt-banks.js';
import { NO_WORD } from './interrupts.js';
import type { Interrupts } from './interrupts.js';
import type { MessageSpis } from './message-spis.js';

/** Affinity routing cannot be switched off, and there is one Security state. */
const CTLR_FIXED = GICD_CTLR.ARE.mask | GICD_CTLR.DS.mask;
const CTLR_BITS = GICD_CTLR.EnableGrp0.mask | GICD_CTLR.EnableGrp1.mask;
/** The banks of one bit for each INTID: 128 bytes each; the extended ones 512 bytes apart. */
const BIT_BANKS = { offset: GICD_IGROUPR.offset, sizeBytes: GICD_IPRIORITYR.offset - GICD_IGROUPR.offset } as const;
const BIT_BANKS_E = { offset: GICD_IGROUPRnE.offset, sizeBytes: 0xe00 } as const;
const BANK_BYTES = 0x80;
const BANK_STRIDE_E = 0x200;
const IROUTER_LOW = 0x80ff_ffff;
const IROUTER_IRM = 0x8000_0000;
const IROUTER_HIGH = 0xff;

export interface DistributorParts {
  readonly interrupts: Interrupts;
  readonly forwarding: Forwarding;
  readonly banks: InterruptBanks;
  readonly messages: MessageSpis;
  readonly parameters: GicV3Parameters;
  readonly log: ModelLog;
}

export class DistributorFrame implements MmioModel {
  readonly #interrupts: Interrupts;
  readonly #forwarding: Forwarding;
  readonly #banks: InterruptBanks;
  readonly #messages: MessageSpis;
  readonly #parameters: GicV3Parameters;
  readonly #log: ModelLog;

  constructor(parts: DistributorParts) {
    this.#interrupts = parts.interrupts;
    this.#forwarding = parts.forwarding;
    this.#banks = parts.banks;
    this.#messages = parts.messages;
    this.#parameters = parts.parameters;
    this.#log = parts.log;
  }

  read(offset: number, size: AccessSize): number {
    if (!this.#widthFits(offset, size)) return 0;
    switch (offset) {
      case GICD_CTLR.offset:
        return this.#forwarding.ctlr | CTLR_FIXED;
      case GICD_TYPER.offset:
        return this.#parameters.typer;
      case GICD_IIDR.offset:
        return this.#parameters.gicdIidr;
      case GICD_TYPER2.offset:
        return this.#parameters.typer2;
    }
    if (isIn(BIT_BANKS, offset) || isIn(BIT_BANKS_E, offset)) {
      const word = this.#bitWord(offset);
      return word === NO_WORD ? 0 : this.#banks.readBits(bankOf(offset), 0, word);
    }
    if (isIn(GICD_IPRIORITYR, offset) || isIn(GICD_IPRIORITYRnE, offset)) {
      const word = this.#wordAt(offset, GICD_IPRIORITYR, GICD_IPRIORITYRnE, 5);
      return word === NO_WORD ? 0 : this.#banks.readPriorities(0, word, offset & 31, size);
    }
    if (isIn(GICD_ICFGR, offset) || isIn(GICD_ICFGRnE, offset)) {
      const word = this.#wordAt(offset, GICD_ICFGR, GICD_ICFGRnE, 3);
      return word === NO_WORD ? 0 : this.#banks.readConfig(0, word, (offset >>> 2) & 1);
    }
    if (isIn(GICD_IROUTER, offset) || isIn(GICD_IROUTERnE, offset)) {
      const index = this.#routeIndex(offset);
      return index < 0 ? 0 : this.#interrupts.routes[index];
    }
    // GICD_IGRPMODR and GICD_NSACR are RES0 with one Security state; GICD_ITARGETSR and the SGI registers with affinity routing.
    return isIn(GICD_ID, offset) ? readId(offset, false) : 0;
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (offset === GICD_SETSPI_NSR.offset || offset === GICD_CLRSPI_NSR.offset) {
      if (this.#parameters.messageBasedSpis) this.#messages.write(offset, value, size);
      return;
    }
    if (!this.#widthFits(offset, size)) return;
    if (offset === GICD_CTLR.offset) {
      this.#forwarding.ctlr = value & CTLR_BITS;
      for (let cpu = 0; cpu < this.#interrupts.nrCpus; cpu++) this.#forwarding.enablesChanged(cpu);
    } else if (isIn(BIT_BANKS, offset) || isIn(BIT_BANKS_E, offset)) {
      const word = this.#bitWord(offset);
      if (word !== NO_WORD) this.#banks.writeBits(bankOf(offset), 0, word, value);
    } else if (isIn(GICD_IPRIORITYR, offset) || isIn(GICD_IPRIORITYRnE, offset)) {
      const word = this.#wordAt(offset, GICD_IPRIORITYR, GICD_IPRIORITYRnE, 5);
      if (word !== NO_WORD) this.#banks.writePriorities(0, word, offset & 31, size, value);
    } else if (isIn(GICD_ICFGR, offset) || isIn(GICD_ICFGRnE, offset)) {
      const word = this.#wordAt(offset, GICD_ICFGR, GICD_ICFGRnE, 3);
      if (word !== NO_WORD) this.#banks.writeConfig(0, word, (offset >>> 2) & 1, value);
    } else if (isIn(GICD_IROUTER, offset) || isIn(GICD_IROUTERnE, offset)) this.#writeRoute(offset, value);
  }

  /** Only GICD_IROUTER and GICD_IROUTERnE have 64 bits: a CPU never sees half of a new route. */
  write64(offset: number, lo: number, hi: number): void {
    const index = offset % 8 === 0 ? this.#routeIndex(offset) : -1;
    if (index < 0) {
      this.write(offset, lo, 4);
      this.write(offset + 4, hi, 4);
      return;
    }
    this.#storeRoute(index, lo);
    this.#storeRoute(index + 1, hi);
    this.#routeChanged(index);
  }

  // CHOICE: accesses of other widths than section 12.1.3 lists, or misaligned, are RAZ/WI.
  #widthFits(offset: number, size: AccessSize): boolean {
    const bytes = isIn(GICD_IPRIORITYR, offset) || isIn(GICD_IPRIORITYRnE, offset);
    if ((size === 4 && offset % 4 === 0) || (size === 1 && bytes)) return true;
    this.#log.guest('GICD access of %d bytes at 0x%x', size, offset);
    return false;
  }

  /** The word that a register of one bit for each INTID stands for. */
  #bitWord(offset: number): number {
    return isIn(BIT_BANKS, offset)
      ? this.#spiWord((offset % BANK_BYTES) >>> 2)
      : offset % BANK_STRIDE_E < BANK_BYTES
        ? this.#extendedWord((offset % BANK_STRIDE_E) >>> 2)
        : NO_WORD;
  }

  /** The same for a bank of 2 to the power of `log2` bytes for each word. */
  #wordAt(
    offset: number,
    bank: { readonly offset: number; readonly sizeBytes: number },
    extended: { readonly offset: number },
    log2: number,
  ): number {
    return isIn(bank, offset)
      ? this.#spiWord((offset - bank.offset) >>> log2)
      : this.#extendedWord((offset - extended.offset) >>> log2);
  }

  // SGIs and PPIs are the Redistributors' with affinity routing: the first word is RAZ/WI.
  #spiWord(index: number): number {
    return index >= 1 && index <= this.#interrupts.nrSpiWords ? this.#interrupts.nrPrivateWords + index - 1 : NO_WORD;
  }

  #extendedWord(index: number): number {
    const word = this.#interrupts.nrPrivateWords + this.#interrupts.nrSpiWords + index;
    return word < this.#interrupts.nrWords ? word : NO_WORD;
  }

  /** Where in `routes` a word at `offset` is, -1 where there is none. */
  #routeIndex(offset: number): number {
    const extended = isIn(GICD_IROUTERnE, offset);
    if (!extended && !isIn(GICD_IROUTER, offset)) return -1;
    const bank = extended ? GICD_IROUTERnE : GICD_IROUTER;
    const word = this.#wordAt(offset, GICD_IROUTER, GICD_IROUTERnE, 8);
    const bit = ((offset - bank.offset) >>> 3) & 31;
    if (word === NO_WORD || ((this.#interrupts.implemented(word) >>> bit) & 1) === 0) return -1;
    return (this.#interrupts.targetIndex(word) + bit) * 2 + ((offset >>> 2) & 1);
  }

  #writeRoute(offset: number, value: number): void {
    const index = this.#routeIndex(offset);
    if (index < 0) return;
    this.#storeRoute(index, value);
    this.#routeChanged(index);
  }

  #storeRoute(index: number, value: number): void {
    const { oneOfN, aff3 } = this.#parameters;
    const low = oneOfN ? IROUTER_LOW : IROUTER_LOW & ~IROUTER_IRM;
    this.#interrupts.routes[index] = value & (index % 2 === 0 ? low : aff3 ? IROUTER_HIGH : 0);
  }

  #routeChanged(index: number): void {
    this.#forwarding.routeChanged(this.#interrupts.nrPrivateWords + (index >>> 6), (index >>> 1) & 31);
  }
}

/** The Distributor's bank of the same name for a register of either range. */
function bankOf(offset: number): number {
  if (isIn(BIT_BANKS, offset)) return offset - (offset % BANK_BYTES);
  return BIT_BANKS.offset + Math.floor((offset - BIT_BANKS_E.offset) / BANK_STRIDE_E) * BANK_BYTES;
}
