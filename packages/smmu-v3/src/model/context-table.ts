// SPDX-License-Identifier: Apache-2.0
// Where a context descriptor is: one alone, in a linear table, or in a two-level one. Arm IHI 0070, sections 5.2 (S1Fmt,
// S1CDMax) and 5.3. Addresses are IPAs where the stream has stage 2.

import { alignDown } from '@irqkit/bits';
import type { Dma } from '@irqkit/core';
import { CD, EVENT_NUMBER, L1CD, STE, STE_CONFIG, STE_S1DSS, STE_S1FMT } from '../layouts.js';
import type { SmmuParameters } from '../silicon.js';
import { setError } from './fault.js';
import type { Fault } from './fault.js';
import { MemoryWords } from './memory-words.js';

/** `indexOf` says that stage 1 is bypassed. */
export const BYPASS_STAGE1 = -2;

/** From the address of a descriptor to where it is in memory; -1, with the fault filled in, where stage 2 has none. */
export type ToPhysical = (address: number) => number;

export class ContextTable {
  readonly #parameters: SmmuParameters;
  readonly #fault: Fault;
  readonly #level1: MemoryWords;

  constructor(dma: Dma, parameters: SmmuParameters, fault: Fault) {
    this.#parameters = parameters;
    this.#fault = fault;
    this.#level1 = new MemoryWords(dma, L1CD.bytes);
  }

  /**
   * Which descriptor of a stream with stage 1 a transaction uses; `ssid` is -1 without a SubstreamID. BYPASS_STAGE1 for
   * none, -1, with the fault filled in, where it may not pass.
   */
  indexOf(ste: Uint32Array, ssid: number): number {
    const cdMax = this.#cdMax(ste);
    const dss = STE.S1DSS(ste);
    if (ssid >= 0) {
      if (cdMax === 0 || ssid >= 2 ** cdMax) return this.#no(EVENT_NUMBER.C_BAD_SUBSTREAMID);
      return dss === STE_S1DSS.SSID0 && ssid === 0 ? this.#no(EVENT_NUMBER.F_STREAM_DISABLED) : ssid;
    }
    if (cdMax === 0 || dss === STE_S1DSS.SSID0) return 0;
    return dss === STE_S1DSS.BYPASS ? BYPASS_STAGE1 : this.#no(EVENT_NUMBER.F_STREAM_DISABLED);
  }

  /** The physical address of a descriptor; -1, with the fault filled in, where there is none. */
  locate(ste: Uint32Array, index: number, toPhysical: ToPhysical): number {
    const cdMax = this.#cdMax(ste);
    const base = STE.S1ContextPtr(ste);
    const format = STE.S1Fmt(ste);
    if (cdMax === 0) return toPhysical(base);
    // CHOICE: bits of S1ContextPtr that S1CDMax makes RES0 are taken as zero, and so are those of an L2Ptr.
    const split = format === STE_S1FMT.TWO_LEVEL_4K ? 6 : format === STE_S1FMT.TWO_LEVEL_64K ? 10 : 0;
    if (split === 0) return toPhysical(alignDown(base, CD.bytes * 2 ** cdMax) + index * CD.bytes);
    const within = index % 2 ** split;
    const tableBytes = Math.max(64, L1CD.bytes * 2 ** (cdMax - split));
    const at = toPhysical(alignDown(base, tableBytes) + ((index - within) / 2 ** split) * L1CD.bytes);
    if (at < 0) return -1;
    if (!this.#level1.load(at)) return this.#no(EVENT_NUMBER.F_CD_FETCH, at);
    const { words } = this.#level1;
    const leaf = L1CD.L2Ptr(words);
    // CHOICE: an L2Ptr that is out of range is a C_BAD_SUBSTREAMID, with and without stage 2 (section 3.4.3).
    const { ias, oas } = this.#parameters;
    const limit = 2 ** (STE.Config(ste) === STE_CONFIG.NESTED ? ias : oas);
    if (L1CD.V(words) === 0 || leaf >= limit) return this.#no(EVENT_NUMBER.C_BAD_SUBSTREAMID);
    return toPhysical(alignDown(leaf, CD.bytes * 2 ** split) + within * CD.bytes);
  }

  #cdMax(ste: Uint32Array): number {
    return this.#parameters.ssidSize === 0 ? 0 : STE.S1CDMax(ste);
  }

  #no(number: number, fetchAddr?: number): number {
    setError(this.#fault, number, fetchAddr);
    return -1;
  }
}
