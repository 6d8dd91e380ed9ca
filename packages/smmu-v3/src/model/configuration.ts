// SPDX-License-Identifier: Apache-2.0
// From a StreamID and a SubstreamID to what the tables say of them. Arm IHI 0070, sections 3.3.3 and 7.3.22.

import type { Dma } from '@irqkit/core';
import type { Regime } from '@irqkit/pgtable/walk';
import { CD, EVENT_CLASS, EVENT_NUMBER, STE, STE_CONFIG } from '../layouts.js';
import type { SmmuParameters } from '../silicon.js';
import { isCdIllegal } from './cd-illegal.js';
import { BYPASS_STAGE1, ContextTable } from './context-table.js';
import { setError } from './fault.js';
import type { Fault } from './fault.js';
import { MemoryWords } from './memory-words.js';
import type { StageTwo } from './stage-two.js';
import { isSteIllegal, usesStrw } from './ste-illegal.js';
import { accessesOf, contextOfCd, contextOfSte, SPACE_KIND, stage2Of } from './stream-context.js';
import type { StreamContext } from './stream-context.js';
import { StreamTable } from './stream-table.js';

export class Configuration {
  readonly streamTable: StreamTable;
  /** CR2.RECINVSID: C_BAD_STREAMID is recorded. */
  recordsInvalidStreams = false;
  /** CR2.E2H */
  e2h = false;
  readonly #parameters: SmmuParameters;
  readonly #fault: Fault;
  readonly #contextTable: ContextTable;
  readonly #stage2: StageTwo;
  readonly #ste: MemoryWords;
  readonly #cd: MemoryWords;
  /** Of the entry in #ste, for the address of its descriptor; undefined without stage 2. */
  #regime: Regime | undefined;
  readonly #toPhysical = (address: number): number => this.#physical(address);

  constructor(dma: Dma, parameters: SmmuParameters, fault: Fault, stage2: StageTwo) {
    this.#parameters = parameters;
    this.#fault = fault;
    this.#stage2 = stage2;
    this.streamTable = new StreamTable(dma, parameters, fault);
    this.#contextTable = new ContextTable(dma, parameters, fault);
    this.#ste = new MemoryWords(dma, STE.bytes);
    this.#cd = new MemoryWords(dma, CD.bytes);
  }

  /** Reads the tables; undefined, with the fault filled in, where they have nothing that is valid. */
  fetch(sid: number, ssid: number): StreamContext | undefined {
    if (!this.#loadSte(sid)) return undefined;
    const { words: ste } = this.#ste;
    const config = STE.Config(ste);
    if (config < STE_CONFIG.BYPASS) return contextOfSte(ste, this.#parameters);
    if ((config & 1) === 0)
      return ssid < 0 ? contextOfSte(ste, this.#parameters) : this.#no(EVENT_NUMBER.C_BAD_SUBSTREAMID);
    const index = this.#contextTable.indexOf(ste, ssid);
    if (index === BYPASS_STAGE1) return contextOfSte(ste, this.#parameters);
    const at = index < 0 ? -1 : this.#locateCd(index);
    if (at < 0) return undefined;
    const { words: cd } = this.#cd;
    if (!this.#cd.load(at)) return this.#no(EVENT_NUMBER.F_CD_FETCH, at);
    const kind = this.#kindOf(ste);
    if (CD.V(cd) === 0 || isCdIllegal(cd, ste, kind === SPACE_KIND.EL2, this.#parameters))
      return this.#no(EVENT_NUMBER.C_BAD_CD);
    return contextOfCd(ste, cd, kind, this.#parameters);
  }

  /** Where the entry of a stream is; undefined where it has none. */
  locateSte(sid: number): number | undefined {
    const at = this.streamTable.locate(sid);
    return at < 0 ? undefined : at;
  }

  /** Where the descriptor of a transaction is; undefined where it uses none. */
  locateCd(sid: number, ssid: number): number | undefined {
    if (!this.#loadSte(sid)) return undefined;
    const { words: ste } = this.#ste;
    if (STE.Config(ste) < STE_CONFIG.BYPASS || (STE.Config(ste) & 1) === 0) return undefined;
    const index = this.#contextTable.indexOf(ste, ssid);
    const at = index < 0 ? -1 : this.#locateCd(index);
    return at < 0 ? undefined : at;
  }

  /** WALK_ACCESS bits of an access by the entry that was read last. */
  accessOf(write: boolean): number {
    const { readAccess, writeAccess } = accessesOf(this.#ste.words, this.#parameters);
    return write ? writeAccess : readAccess;
  }

  #loadSte(sid: number): boolean {
    const at = this.streamTable.locate(sid);
    if (at < 0) {
      if (this.#fault.number === EVENT_NUMBER.C_BAD_STREAMID) this.#fault.recorded = this.recordsInvalidStreams;
      return false;
    }
    if (!this.#ste.load(at)) {
      setError(this.#fault, EVENT_NUMBER.F_STE_FETCH, at);
      return false;
    }
    const { words } = this.#ste;
    if (STE.V(words) === 1 && !isSteIllegal(words, this.#parameters)) return true;
    setError(this.#fault, EVENT_NUMBER.C_BAD_STE);
    return false;
  }

  #locateCd(index: number): number {
    const { words: ste } = this.#ste;
    this.#regime = STE.Config(ste) === STE_CONFIG.NESTED ? stage2Of(ste, this.#parameters) : undefined;
    return this.#contextTable.locate(ste, index, this.#toPhysical);
  }

  #physical(address: number): number {
    if (this.#regime === undefined) return address;
    const { words: ste } = this.#ste;
    const recorded = STE.S2R(ste) === 1;
    return this.#stage2.tableAddress(this.#regime, address, EVENT_CLASS.CD, recorded, STE.S2PTW(ste) === 1);
  }

  #kindOf(ste: Uint32Array): number {
    if (STE.Config(ste) === STE_CONFIG.NESTED) return SPACE_KIND.NESTED;
    if (!usesStrw(STE_CONFIG.S1, this.#parameters) || STE.STRW(ste) === 0) return SPACE_KIND.STAGE1;
    return this.e2h ? SPACE_KIND.EL2_E2H : SPACE_KIND.EL2;
  }

  #no(number: number, fetchAddr?: number): undefined {
    setError(this.#fault, number, fetchAddr);
  }
}
