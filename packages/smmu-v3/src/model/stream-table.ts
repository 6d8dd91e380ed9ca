// SPDX-License-Identifier: Apache-2.0
// Where a StreamID's entry is, in a linear or a two-level stream table. Arm IHI 0070, sections 3.3.1, 5.1, 6.3.24 and 6.3.25.

import { alignDown } from '@irqkit/bits';
import type { Dma } from '@irqkit/core';
import { EVENT_NUMBER, L1STD, STE } from '../layouts.js';
import { STRTAB_BASE, STRTAB_BASE_CFG, STRTAB_FMT, STRTAB_SPLIT } from '../regs.js';
import type { SmmuParameters } from '../silicon.js';
import { setError } from './fault.js';
import type { Fault } from './fault.js';
import { MemoryWords } from './memory-words.js';

/** L1STD.Span from here on is reserved and behaves as 0. */
const SPAN_RESERVED = 12;

export class StreamTable {
  readonly #parameters: SmmuParameters;
  readonly #fault: Fault;
  readonly #level1: MemoryWords;
  #base = 0;
  /** The effective LOG2SIZE. */
  #log2Size = 0;
  /** StreamID bits of a level 2 table; 0 in a linear table. */
  #split = 0;

  constructor(dma: Dma, parameters: SmmuParameters, fault: Fault) {
    this.#parameters = parameters;
    this.#fault = fault;
    this.#level1 = new MemoryWords(dma, L1STD.bytes);
  }

  /** Takes STRTAB_BASE, two words, and STRTAB_BASE_CFG. */
  describe(base: Uint32Array, cfg: number): void {
    const { twoLevelStreams, sidSize } = this.#parameters;
    const log2Size = STRTAB_BASE_CFG.LOG2SIZE(cfg);
    const twoLevel = twoLevelStreams && STRTAB_BASE_CFG.FMT(cfg) === STRTAB_FMT.TWO_LEVEL;
    this.#log2Size = Math.min(log2Size, sidSize);
    this.#split = twoLevel
      ? (STRTAB_SPLIT.find((split) => split === STRTAB_BASE_CFG.SPLIT(cfg)) ?? STRTAB_SPLIT[0])
      : 0;
    const log2Bytes = twoLevel ? Math.max(6, log2Size - this.#split + Math.log2(L1STD.bytes)) : log2Size + 6;
    this.#base = alignDown(STRTAB_BASE.ADDR(base), 2 ** log2Bytes);
  }

  /** The address of a StreamID's entry; -1, with the fault filled in, where it has none. */
  locate(sid: number): number {
    if (sid < 0 || sid >= 2 ** this.#log2Size) return this.#no(EVENT_NUMBER.C_BAD_STREAMID);
    if (this.#split === 0) return this.#base + sid * STE.bytes;
    const within = sid % 2 ** this.#split;
    const at = this.#base + ((sid - within) / 2 ** this.#split) * L1STD.bytes;
    if (!this.#level1.load(at)) return this.#no(EVENT_NUMBER.F_STE_FETCH, at);
    const { words } = this.#level1;
    const span = L1STD.Span(words);
    const reached = span > 0 && span < SPAN_RESERVED && span <= this.#split + 1 && within < 2 ** (span - 1);
    if (!reached) return this.#no(EVENT_NUMBER.C_BAD_STREAMID);
    return alignDown(L1STD.L2Ptr(words), STE.bytes * 2 ** (span - 1)) + within * STE.bytes;
  }

  #no(number: number, fetchAddr?: number): number {
    setError(this.#fault, number, fetchAddr);
    return -1;
  }
}
