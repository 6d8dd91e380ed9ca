// SPDX-License-Identifier: Apache-2.0
// The LPIs of all Redistributors as ITSs and registers reach them. Arm IHI 0069 sections 5.1 and 5.3.

import { LinuxError } from '@irqkit/core';
import type { Dma, LpiSink, ModelLog } from '@irqkit/core';
import { FIRST_LPI } from '../regs.js';
import type { GicV3Parameters } from '../silicon.js';
import type { Forwarding } from './forwarding.js';
import { LpiConfiguration } from './lpi-configuration.js';
import type { LpiConfigurationState } from './lpi-configuration.js';
import { PendingBits } from './pending-bits.js';
import { RedistributorLpis } from './redistributor-lpis.js';

/** What GICR_PROPBASER and GICR_PENDBASER say when LPIs are enabled. */
export interface LpiTables {
  readonly configuration: number;
  /** GICR_PROPBASER.IDbits + 1 */
  readonly idBits: number;
  readonly pending: number;
  /** GICR_PENDBASER.PTZ */
  readonly pendingIsZero: boolean;
}

/** The pending bits of each Redistributor, one for each INTID, empty while its LPIs are disabled; and the cached entries. */
export interface LpiState {
  readonly pending: readonly Uint32Array[];
  readonly configurations: readonly LpiConfigurationState[];
}

export class Lpis implements LpiSink {
  readonly redistributors: readonly RedistributorLpis[];
  readonly pendingBits: PendingBits;
  #idBits: number;
  readonly #parameters: GicV3Parameters;
  readonly #dma: Dma;
  readonly #log: ModelLog;
  /** By RD_base >> 16. */
  readonly #byFrame: ReadonlyMap<number, number>;

  /** `frames`: RD_base of each Redistributor. */
  constructor(parameters: GicV3Parameters, frames: readonly number[], forwarding: Forwarding, dma: Dma, log: ModelLog) {
    this.#parameters = parameters;
    this.#dma = dma;
    this.#log = log;
    this.#idBits = parameters.idBits;
    this.#byFrame = new Map(frames.map((base, cpu) => [base / 0x1_0000, cpu]));
    this.pendingBits = new PendingBits(frames.length);
    this.redistributors = frames.map((_, cpu) => new RedistributorLpis(cpu, this.pendingBits, forwarding, dma, log));
  }

  get idBits(): number {
    return this.#idBits;
  }

  // Processor_Number is the Redistributor's index.
  target(rdbase: number, pta: boolean): number {
    if (pta) return this.#byFrame.get(rdbase) ?? -1;
    return rdbase >= 0 && rdbase < this.redistributors.length ? rdbase : -1;
  }

  setPending(target: number, intid: number): void {
    if (target >= 0 && target < this.redistributors.length) this.redistributors[target].setPending(intid);
  }

  clearPending(target: number, intid: number): void {
    if (target >= 0 && target < this.redistributors.length) this.redistributors[target].clearPending(intid);
  }

  invalidate(target: number, intid: number): void {
    const configuration = this.#configurationOf(target);
    if (!configuration || intid < FIRST_LPI || intid >= configuration.endIntid) return;
    configuration.drop(intid);
    for (const user of this.#usersOf(configuration)) user.requeue(intid);
  }

  invalidateAll(target: number): void {
    const configuration = this.#configurationOf(target);
    if (!configuration) return;
    configuration.dropAll();
    for (const user of this.#usersOf(configuration)) user.requeueAll();
  }

  movePending(from: number, to: number, intid: number): void {
    if (from === to || !this.#has(from) || !this.redistributors[from].isPending(intid)) return;
    this.redistributors[from].clearPending(intid);
    this.setPending(to, intid);
  }

  moveAllPending(from: number, to: number): void {
    if (from === to || !this.#has(from)) return;
    this.redistributors[from].forEachPending((intid) => this.movePending(from, to, intid));
  }

  /** GICR_CTLR.EnableLPIs has become 1. */
  enable(cpu: number, tables: LpiTables): void {
    const endIntid = this.#endIntid(tables);
    const configuration = this.#share(tables.configuration, endIntid);
    this.#reserve(endIntid);
    this.redistributors[cpu].enable(configuration, tables.pending, tables.pendingIsZero);
    this.#count();
  }

  /** GICR_CTLR.EnableLPIs has become 0. */
  disable(cpu: number): void {
    this.redistributors[cpu].disable();
    this.#count();
  }

  save(): LpiState {
    return {
      pending: this.redistributors.map(({ pending }) => pending.slice()),
      configurations: this.#configurations().map((table) => table.save()),
    };
  }

  /** `tables`: of each Redistributor whose LPIs are enabled. The state has passed `check`. */
  restore(state: LpiState, tables: readonly (LpiTables | undefined)[]): void {
    for (const each of this.redistributors) each.forget();
    const saved = state.configurations.map((each) => {
      const configuration = this.#make(each.base, each.bytes.length);
      configuration.restore(each);
      return configuration;
    });
    tables.forEach((each, cpu) => {
      if (!each) return;
      const endIntid = this.#endIntid(each);
      const own = saved.find((table) => table.base === each.configuration && table.endIntid === endIntid);
      const configuration = own ?? this.#share(each.configuration, endIntid);
      this.#reserve(endIntid);
      this.redistributors[cpu].restore(configuration, each.pending, state.pending[cpu]);
    });
    this.#count();
  }

  /** @throws LinuxError EINVAL for a state that does not fit `tables` */
  check(state: Partial<LpiState> | undefined, tables: readonly (LpiTables | undefined)[], path: string): void {
    const fits =
      state?.pending?.length === tables.length &&
      state.pending.every(({ length }, cpu) => length === (tables[cpu] ? this.#endIntid(tables[cpu]) / 32 : 0)) &&
      state.configurations?.every(({ bytes }) => bytes.length <= 2 ** this.#parameters.idBits);
    if (!fits) throw new LinuxError('EINVAL', `${path}: cannot restore lpis`);
  }

  #has(target: number): boolean {
    return target >= 0 && target < this.redistributors.length;
  }

  // Section 5.1.1: no LPI has an INTID of fewer than 14 bits; the table ends where either width does.
  #endIntid({ idBits }: LpiTables): number {
    const end = 2 ** Math.min(idBits, this.#parameters.idBits);
    return end > FIRST_LPI ? end : 0;
  }

  #reserve(endIntid: number): void {
    if (endIntid > 0 && this.pendingBits.reserve(endIntid)) for (const each of this.redistributors) each.follow();
  }

  #configurationOf(target: number): LpiConfiguration | undefined {
    return this.#has(target) ? this.redistributors[target].configuration : undefined;
  }

  #usersOf(configuration: LpiConfiguration): readonly RedistributorLpis[] {
    return this.redistributors.filter((each) => each.nrPending > 0 && each.configuration === configuration);
  }

  #configurations(): LpiConfiguration[] {
    return [...new Set(this.redistributors.flatMap(({ configuration }) => configuration ?? []))];
  }

  #share(base: number, endIntid: number): LpiConfiguration {
    const shared = this.#configurations().find((table) => table.base === base && table.endIntid === endIntid);
    return shared ?? this.#make(base, endIntid);
  }

  #make(base: number, endIntid: number): LpiConfiguration {
    return new LpiConfiguration(base, endIntid, this.#parameters.priorityBits, this.#dma, this.#log);
  }

  #count(): void {
    const used = this.#configurations().map(({ endIntid }) => (endIntid === 0 ? 0 : Math.log2(endIntid)));
    this.#idBits = Math.min(this.#parameters.idBits, ...used);
  }
}
