// SPDX-License-Identifier: Apache-2.0
// Message-based SPIs: GICD_SETSPI_NSR and GICD_CLRSPI_NSR, in the Distributor and in an alias frame that holds only them.
// Arm IHI 0069 section 12.9.

import type { AccessSize, MmioModel, ModelLog } from '@irqkit/core';
import { GICD_CLRSPI_NSR, GICD_SETSPI_NSR } from '../regs.js';
import type { Forwarding } from './forwarding.js';
import { NO_WORD } from './interrupts.js';
import type { Interrupts } from './interrupts.js';

export class MessageSpis implements MmioModel {
  readonly #interrupts: Interrupts;
  readonly #forwarding: Forwarding;
  readonly #log: ModelLog;

  constructor(interrupts: Interrupts, forwarding: Forwarding, log: ModelLog) {
    this.#interrupts = interrupts;
    this.#forwarding = forwarding;
    this.#log = log;
  }

  /** Both registers are write-only. */
  read(): number {
    return 0;
  }

  write(offset: number, value: number, size: AccessSize): void {
    // Words and halfwords may be written.
    if (size === 1) return;
    if (offset === GICD_SETSPI_NSR.offset) this.#set(GICD_SETSPI_NSR.INTID(value));
    else if (offset === GICD_CLRSPI_NSR.offset) this.#clear(GICD_CLRSPI_NSR.INTID(value));
  }

  #set(intid: number): void {
    const word = this.#wordOf(intid);
    if (word === NO_WORD) return;
    const slot = this.#interrupts.slot(0, word);
    const bit = 1 << (intid & 31);
    if ((this.#interrupts.edge[slot] & bit) !== 0) this.#interrupts.latched[slot] |= bit;
    else this.#interrupts.message[slot] |= bit;
    this.#forwarding.changed(0, word, intid & 31);
  }

  #clear(intid: number): void {
    const word = this.#wordOf(intid);
    if (word === NO_WORD) return;
    const slot = this.#interrupts.slot(0, word);
    const bit = 1 << (intid & 31);
    this.#interrupts.latched[slot] &= ~bit;
    this.#interrupts.message[slot] &= ~bit;
    this.#forwarding.changed(0, word, intid & 31);
  }

  #wordOf(intid: number): number {
    const word = this.#interrupts.wordOf(intid);
    if (word !== NO_WORD && !this.#interrupts.isPrivate(word)) return word;
    this.#log.guest('message for INTID %d, which is no SPI', intid);
    return NO_WORD;
  }
}
