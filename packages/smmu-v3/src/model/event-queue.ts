// SPDX-License-Identifier: Apache-2.0
// Faults as records in memory. Arm IHI 0070, sections 7.2 to 7.4.

import type { Dma } from '@irqkit/core';
import { WALK_ACCESS } from '@irqkit/pgtable/walk';
import { EVENT, EVENT_CLASS, EVENT_NUMBER } from '../layouts.js';
import { EVENTQ_PROD, GERROR, IDR1 } from '../regs.js';
import type { SmmuParameters } from '../silicon.js';
import type { Fault } from './fault.js';
import type { GlobalErrors } from './global-errors.js';
import { MemoryWords } from './memory-words.js';
import type { Notifier } from './notifier.js';
import { QueueRegisters } from './queue-registers.js';

export class EventQueue {
  readonly registers: QueueRegisters;
  readonly notifier: Notifier;
  /** CR0.EVENTQEN */
  enabled = false;
  /** EVENTQ_PROD.OVFLG and EVENTQ_CONS.OVACKFLG, in place. */
  overflow = 0;
  overflowAcknowledged = 0;
  readonly #record: MemoryWords;
  readonly #errors: GlobalErrors;

  constructor(dma: Dma, parameters: SmmuParameters, notifier: Notifier, errors: GlobalErrors) {
    this.registers = new QueueRegisters(IDR1.EVENTQS(parameters.idr1), EVENT.bytes);
    this.notifier = notifier;
    this.#record = new MemoryWords(dma, EVENT.bytes);
    this.#errors = errors;
  }

  /** `access`: WALK_ACCESS bits; `hi` and `lo`: the input address. */
  record(fault: Fault, sid: number, ssid: number, hi: number, lo: number, write: boolean, access: number): void {
    if (!this.enabled || this.#errors.isActive(GERROR.EVENTQ_ABT_ERR.mask)) return;
    const { registers } = this;
    if (registers.isFull) {
      if (this.overflow === this.overflowAcknowledged) this.overflow = (this.overflow ^ EVENTQ_PROD.OVFLG.mask) >>> 0;
      return;
    }
    this.#compose(fault, sid, ssid, hi, lo, write, access);
    if (!this.#record.store(registers.addressOf(registers.prod))) {
      this.#errors.activate(GERROR.EVENTQ_ABT_ERR.mask);
      return;
    }
    const wasEmpty = registers.isEmpty;
    registers.prod = registers.next(registers.prod);
    if (wasEmpty && !this.notifier.notify()) this.#errors.activate(GERROR.MSI_EVENTQ_ABT_ERR.mask);
  }

  // The fields that a record has: 7.3.2 to 7.3.20. C_BAD_SUBSTREAMID has a SubstreamID without SSV, F_STREAM_DISABLED none.
  #compose(fault: Fault, sid: number, ssid: number, hi: number, lo: number, write: boolean, access: number): void {
    const { words } = this.#record;
    const { number } = fault;
    words.fill(0);
    EVENT.number.put(words, number);
    EVENT.StreamID.put(words, sid);
    if (ssid >= 0 && number !== EVENT_NUMBER.F_STREAM_DISABLED) {
      EVENT.SubstreamID.put(words, ssid);
      if (number !== EVENT_NUMBER.C_BAD_SUBSTREAMID) EVENT.SSV.put(words, 1);
    }
    if (fault.fetchAddr !== 0) EVENT.FetchAddr.put(words, fault.fetchAddr);
    if (number < EVENT_NUMBER.F_WALK_EABT) return;
    EVENT.RnW.put(words, write ? 0 : 1);
    EVENT.PnU.put(words, (access & WALK_ACCESS.PRIVILEGED) === 0 ? 0 : 1);
    EVENT.InD.put(words, (access & WALK_ACCESS.INSTRUCTION) === 0 ? 0 : 1);
    EVENT.CLASS.put(words, fault.cls);
    EVENT.InputAddrLow.put(words, lo);
    EVENT.InputAddrHigh.put(words, hi);
    if (!fault.s2) return;
    EVENT.S2.put(words, 1);
    if (number === EVENT_NUMBER.F_WALK_EABT) return;
    EVENT.IPA.put(words, fault.ipa);
    if (number === EVENT_NUMBER.F_PERMISSION && fault.cls === EVENT_CLASS.TT) EVENT.TTRnW.put(words, 1);
  }
}
