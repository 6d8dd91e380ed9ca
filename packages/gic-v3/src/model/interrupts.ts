// SPDX-License-Identifier: Apache-2.0
// The state of every interrupt of a GICv3 but LPIs, in flat arrays of 32 interrupts a word. Arm IHI 0069 chapters 2 and 4.

import { FIRST_EPPI, FIRST_ESPI, FIRST_SPI, END_OF_ESPIS } from '../regs.js';
import type { GicV3Parameters } from '../silicon.js';

/** What an INTID that does not exist has for a word. */
export const NO_WORD = -1;
/** The target of an SPI that goes nowhere. */
export const NOBODY = -1;

/**
 * Each CPU sees `nrWords` words: its own private ones first (SGIs and PPIs, then extended PPIs), then SPIs, then extended SPIs.
 * Bit b of the word in slot s has its byte-wide attributes at index s * 32 + b; private words have a slot for each CPU.
 */
export class Interrupts {
  readonly nrCpus: number;
  readonly nrWords: number;
  readonly nrPrivateWords: number;
  /** Words of SPIs, without the extended ones that follow. */
  readonly nrSpiWords: number;
  readonly enabled: Uint32Array;
  /** Edges, software's ISPENDR writes and SGIs not yet acknowledged. */
  readonly latched: Uint32Array;
  readonly active: Uint32Array;
  /** 1 for Group 1. */
  readonly group: Uint32Array;
  /** 1 for edge-triggered. */
  readonly edge: Uint32Array;
  /** Levels of the inputs. */
  readonly input: Uint32Array;
  /** Levels that GICD_SETSPI_NSR has asserted. */
  readonly message: Uint32Array;
  readonly priority: Uint8Array;
  /** GICD_IROUTER and GICD_IROUTERnE, low then high word, from the first shared slot on. */
  readonly routes: Uint32Array;
  /** The CPU that each shared interrupt goes to, from the first shared slot on. */
  readonly targets: Int16Array;
  readonly #nrIrqs: number;
  readonly #sharedSlots: number;
  readonly #wordOf = new Int16Array(END_OF_ESPIS / 32).fill(NO_WORD);
  readonly #firstIntids: Uint16Array;

  constructor(parameters: GicV3Parameters, nrCpus: number) {
    const { nrIrqs, nrExtendedPpis, nrExtendedSpis } = parameters;
    this.#nrIrqs = nrIrqs;
    this.nrCpus = nrCpus;
    this.nrPrivateWords = 1 + nrExtendedPpis / 32;
    this.nrSpiWords = Math.ceil(nrIrqs / 32) - 1;
    const nrShared = this.nrSpiWords + nrExtendedSpis / 32;
    this.nrWords = this.nrPrivateWords + nrShared;
    this.#sharedSlots = nrCpus * this.nrPrivateWords;
    const slots = this.#sharedSlots + nrShared;
    this.enabled = new Uint32Array(slots);
    this.latched = new Uint32Array(slots);
    this.active = new Uint32Array(slots);
    this.group = new Uint32Array(slots);
    this.edge = new Uint32Array(slots);
    this.input = new Uint32Array(slots);
    this.message = new Uint32Array(slots);
    this.priority = new Uint8Array(slots * 32);
    this.routes = new Uint32Array(nrShared * 64);
    this.targets = new Int16Array(nrShared * 32).fill(NOBODY);
    for (let cpu = 0; cpu < nrCpus; cpu++) this.edge[this.slot(cpu, 0)] = 0xffff;
    this.#firstIntids = new Uint16Array(this.nrWords);
    this.#number(0, 0, 1);
    this.#number(1, FIRST_EPPI, this.nrPrivateWords - 1);
    this.#number(this.nrPrivateWords, FIRST_SPI, this.nrSpiWords);
    this.#number(this.nrPrivateWords + this.nrSpiWords, FIRST_ESPI, nrExtendedSpis / 32);
  }

  #number(firstWord: number, firstIntid: number, nrWords: number): void {
    for (let i = 0; i < nrWords; i++) {
      this.#firstIntids[firstWord + i] = firstIntid + i * 32;
      this.#wordOf[(firstIntid >>> 5) + i] = firstWord + i;
    }
  }

  /** The word that an INTID is in, NO_WORD where it does not exist. Its bit is the INTID's low five. */
  wordOf(intid: number): number {
    if (!(intid >= 0 && intid < END_OF_ESPIS)) return NO_WORD;
    const word = this.#wordOf[intid >>> 5];
    return word >= 0 && ((this.implemented(word) >>> (intid & 31)) & 1) === 1 ? word : NO_WORD;
  }

  /** The INTID of a word's bit 0. */
  firstIntid(word: number): number {
    return this.#firstIntids[word];
  }

  isPrivate(word: number): boolean {
    return word < this.nrPrivateWords;
  }

  /** Where word `word` of `cpu`'s view is. */
  slot(cpu: number, word: number): number {
    return word < this.nrPrivateWords
      ? cpu * this.nrPrivateWords + word
      : this.#sharedSlots - this.nrPrivateWords + word;
  }

  /** Bits of `word` that stand for interrupts; the last word of 1020 is short. */
  implemented(word: number): number {
    const left = this.#nrIrqs - this.#firstIntids[word];
    return left >= 32 || left <= 0 ? 0xffff_ffff : 2 ** left - 1;
  }

  /** Where a shared word begins in `targets`. */
  targetIndex(word: number): number {
    return (word - this.nrPrivateWords) * 32;
  }

  /** Pending bits: a level-sensitive input counts as long as it is asserted, by a wire or by a message. Section 4.1.2 */
  pending(slot: number): number {
    return (this.latched[slot] | ((this.input[slot] | this.message[slot]) & ~this.edge[slot])) >>> 0;
  }

  /** 0 or 1. */
  groupOf(slot: number, bit: number): number {
    return (this.group[slot] >>> bit) & 1;
  }

  /** The arrays that make up the state, by name. */
  get arrays(): Readonly<Record<string, Uint8Array | Uint32Array>> {
    const { enabled, latched, active, group, edge, input, message, priority, routes } = this;
    return { enabled, latched, active, group, edge, input, message, priority, routes };
  }
}
