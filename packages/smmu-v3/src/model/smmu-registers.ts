// SPDX-License-Identifier: Apache-2.0
// What writes of the registers do, and what they steer. Arm IHI 0070, section 6.3. A register that is guarded by an enable
// ignores writes while it is set, as SMMUv3.2 has it.

import type { ModelLog } from '@irqkit/core';
import { CMDQ_CONS, CR0, CR1, CR2, EVENTQ_CONS, EVENTQ_PROD, GBPA, IDR0, IRQ_CTRL, STRTAB_BASE } from '../regs.js';
import { STRTAB_BASE_CFG } from '../regs.js';
import type { SmmuParameters } from '../silicon.js';
import type { SmmuParts } from './smmu-parts.js';

const TABLE_ATTRIBUTES = CR1.TABLE_SH.mask | CR1.TABLE_OC.mask | CR1.TABLE_IC.mask;
const QUEUE_ATTRIBUTES = CR1.QUEUE_SH.mask | CR1.QUEUE_OC.mask | CR1.QUEUE_IC.mask;
const STRTAB_CFG = STRTAB_BASE_CFG.LOG2SIZE.mask | STRTAB_BASE_CFG.SPLIT.mask | STRTAB_BASE_CFG.FMT.mask;
const GBPA_FIELDS = Object.values(GBPA).reduce<number>(
  (mask, part) => (typeof part === 'function' && part !== GBPA.Update ? mask | part.mask : mask),
  0,
);
/** Bit 62 of STRTAB_BASE, in its high word. */
const RA_HIGH = 0x4000_0000;

export class SmmuRegisters {
  readonly parameters: SmmuParameters;
  readonly strtabBase = new Uint32Array(2);
  strtabCfg = 0;
  cr0 = 0;
  cr1 = 0;
  cr2 = 0;
  gbpa: number;
  irqCtrl = 0;
  readonly #parts: SmmuParts;
  readonly #log: ModelLog;
  readonly #cr0Fields: number;
  readonly #irqFields: number;

  constructor(parameters: SmmuParameters, parts: SmmuParts, log: ModelLog) {
    this.parameters = parameters;
    this.#parts = parts;
    this.#log = log;
    this.gbpa = parameters.gbpa;
    const { pri, ats, idr0 } = parameters;
    this.#cr0Fields =
      CR0.SMMUEN.mask |
      CR0.EVENTQEN.mask |
      CR0.CMDQEN.mask |
      (pri ? CR0.PRIQEN.mask : 0) |
      (ats ? CR0.ATSCHK.mask : 0) |
      (IDR0.VMW(idr0) === 1 ? CR0.VMW.mask : 0);
    this.#irqFields = IRQ_CTRL.GERROR_IRQEN.mask | IRQ_CTRL.EVENTQ_IRQEN.mask | (pri ? IRQ_CTRL.PRIQ_IRQEN.mask : 0);
    this.apply();
  }

  setCr0(value: number): void {
    this.cr0 = value & this.#cr0Fields;
    this.apply();
    this.#parts.commandQueue.run();
  }

  setCr1(value: number): void {
    const queuesOff = (this.cr0 & (CR0.CMDQEN.mask | CR0.EVENTQEN.mask | CR0.PRIQEN.mask)) === 0;
    const writable = (this.#isEnabled(CR0.SMMUEN.mask) ? 0 : TABLE_ATTRIBUTES) | (queuesOff ? QUEUE_ATTRIBUTES : 0);
    this.cr1 = (this.cr1 & ~writable) | (value & writable);
  }

  setCr2(value: number): void {
    if (this.#isGuarded('CR2', CR0.SMMUEN.mask)) return;
    const { hyp, idr0 } = this.parameters;
    const fields = CR2.RECINVSID.mask | (hyp ? CR2.E2H.mask : 0) | (IDR0.BTM(idr0) === 1 ? CR2.PTM.mask : 0);
    this.cr2 = value & fields;
    this.apply();
  }

  // CHOICE: a write without Update is ignored, and Update reads as zero from the write on.
  setGbpa(value: number): void {
    if (GBPA.Update(value) === 0) return this.#log.guest('GBPA written without Update');
    this.gbpa = value & GBPA_FIELDS;
    this.apply();
  }

  setIrqCtrl(value: number): void {
    this.irqCtrl = value & this.#irqFields;
    this.apply();
  }

  setGerrorn(value: number): void {
    this.#parts.errors.gerrorn = value;
    this.#parts.commandQueue.run();
  }

  setStrtabBase(lo: number, hi: number): void {
    if (this.#isGuarded('STRTAB_BASE', CR0.SMMUEN.mask)) return;
    const words = Uint32Array.of(lo, hi);
    this.strtabBase.fill(0);
    STRTAB_BASE.ADDR.put(this.strtabBase, STRTAB_BASE.ADDR(words));
    this.strtabBase[1] |= hi & RA_HIGH;
    this.apply();
  }

  setStrtabCfg(value: number): void {
    if (this.#isGuarded('STRTAB_BASE_CFG', CR0.SMMUEN.mask)) return;
    this.strtabCfg = value & STRTAB_CFG;
    this.apply();
  }

  setCmdqBase(lo: number, hi: number): void {
    if (!this.#isGuarded('CMDQ_BASE', CR0.CMDQEN.mask)) this.#parts.commandQueue.registers.setBase(lo, hi);
  }

  setCmdqProd(value: number): void {
    this.#parts.commandQueue.registers.prod = value;
    this.#parts.commandQueue.run();
  }

  get cmdqCons(): number {
    const { registers, error } = this.#parts.commandQueue;
    return CMDQ_CONS.ERR.set(registers.cons, error);
  }

  setCmdqCons(value: number): void {
    if (!this.#isGuarded('CMDQ_CONS', CR0.CMDQEN.mask)) this.#parts.commandQueue.registers.cons = value;
  }

  setEventqBase(lo: number, hi: number): void {
    if (!this.#isGuarded('EVENTQ_BASE', CR0.EVENTQEN.mask)) this.#parts.eventQueue.registers.setBase(lo, hi);
  }

  get eventqProd(): number {
    const { registers, overflow } = this.#parts.eventQueue;
    return (registers.prod | overflow) >>> 0;
  }

  setEventqProd(value: number): void {
    if (this.#isGuarded('EVENTQ_PROD', CR0.EVENTQEN.mask)) return;
    this.#parts.eventQueue.registers.prod = value;
    this.#parts.eventQueue.overflow = (value & EVENTQ_PROD.OVFLG.mask) >>> 0;
  }

  get eventqCons(): number {
    const { registers, overflowAcknowledged } = this.#parts.eventQueue;
    return (registers.cons | overflowAcknowledged) >>> 0;
  }

  setEventqCons(value: number): void {
    this.#parts.eventQueue.registers.cons = value;
    this.#parts.eventQueue.overflowAcknowledged = (value & EVENTQ_CONS.OVACKFLG.mask) >>> 0;
  }

  /** True, with a word in the log, where a notifier's *_IRQ_CFG registers are not to be written now. */
  isIrqGuarded(enable: number): boolean {
    const guarded = (this.irqCtrl & enable) !== 0;
    if (guarded) this.#log.guest('an *_IRQ_CFG register written while its interrupt is enabled');
    return guarded;
  }

  /** Makes the parts do what the registers say. */
  apply(): void {
    const { translation, commandSet, commandQueue, eventQueue, errorNotifier, priNotifier } = this.#parts;
    const enabled = CR0.SMMUEN(this.cr0) === 1;
    if (!enabled) translation.dropCaches();
    translation.enabled = enabled;
    translation.abortsAll = GBPA.ABORT(this.gbpa) === 1;
    translation.configuration.recordsInvalidStreams = CR2.RECINVSID(this.cr2) === 1;
    translation.configuration.e2h = CR2.E2H(this.cr2) === 1;
    translation.configuration.streamTable.describe(this.strtabBase, this.strtabCfg);
    commandSet.invalidations.vmidWildcard = CR0.VMW(this.cr0) <= 4 ? CR0.VMW(this.cr0) : 0;
    commandQueue.enabled = CR0.CMDQEN(this.cr0) === 1;
    eventQueue.enabled = CR0.EVENTQEN(this.cr0) === 1;
    eventQueue.notifier.enabled = IRQ_CTRL.EVENTQ_IRQEN(this.irqCtrl) === 1;
    errorNotifier.enabled = IRQ_CTRL.GERROR_IRQEN(this.irqCtrl) === 1;
    priNotifier.enabled = IRQ_CTRL.PRIQ_IRQEN(this.irqCtrl) === 1;
  }

  #isEnabled(enable: number): boolean {
    return (this.cr0 & enable) !== 0;
  }

  #isGuarded(name: string, enable: number): boolean {
    const guarded = this.#isEnabled(enable);
    if (guarded) this.#log.guest('%s written while CR0 has 0x%x set', name, enable);
    return guarded;
  }
}
