// SPDX-License-Identifier: Apache-2.0
// The register frame of an SMMU: page 0 and page 1. Arm IHI 0070, sections 6.1 and 6.2.

import type { AccessSize, MmioModel, ModelLog } from '@irqkit/core';
import {
  CMDQ_BASE,
  CMDQ_CONS,
  CMDQ_PROD,
  CR0,
  CR1,
  CR2,
  EVENTQ_BASE,
  EVENTQ_CONS,
  EVENTQ_IRQ_CFG0,
  EVENTQ_IRQ_CFG1,
  EVENTQ_IRQ_CFG2,
  EVENTQ_PROD,
  GBPA,
  GERROR_IRQ_CFG0,
  GERROR_IRQ_CFG1,
  GERROR_IRQ_CFG2,
  GERRORN,
  IRQ_CTRL,
  PAGE_1,
  PRIQ_BASE,
  PRIQ_CONS,
  PRIQ_IRQ_CFG0,
  PRIQ_IRQ_CFG1,
  PRIQ_IRQ_CFG2,
  PRIQ_PROD,
  SMMU_FRAME_BYTES,
  STRTAB_BASE,
  STRTAB_BASE_CFG,
} from '../regs.js';
import type { Notifier } from './notifier.js';
import { registerValue } from './register-value.js';
import type { SmmuParts } from './smmu-parts.js';
import type { SmmuRegisters } from './smmu-registers.js';

const HIGH = 4;

export class SmmuFrame implements MmioModel {
  readonly #registers: SmmuRegisters;
  readonly #parts: SmmuParts;
  readonly #log: ModelLog;
  readonly #changed: () => void;

  /** `changed` is called after each write. */
  constructor(registers: SmmuRegisters, parts: SmmuParts, log: ModelLog, changed: () => void) {
    this.#registers = registers;
    this.#parts = parts;
    this.#log = log;
    this.#changed = changed;
  }

  read(offset: number, size: AccessSize): number {
    return this.#answers(offset, size) ? registerValue(inPage0(offset), this.#registers, this.#parts) : 0;
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (!this.#answers(offset, size)) return;
    this.#write(inPage0(offset), value >>> 0);
    this.#changed();
  }

  write64(offset: number, lo: number, hi: number): void {
    if (offset % 8 !== 0) return this.#log.guest('SMMU access of 8 bytes at 0x%x', offset);
    const registers = this.#registers;
    const { errorNotifier, eventQueue, priNotifier } = this.#parts;
    switch (inPage0(offset)) {
      case GERROR_IRQ_CFG0.offset:
        this.#setAddress(errorNotifier, IRQ_CTRL.GERROR_IRQEN.mask, lo, hi);
        break;
      case STRTAB_BASE.offset:
        registers.setStrtabBase(lo, hi);
        break;
      case CMDQ_BASE.offset:
        registers.setCmdqBase(lo, hi);
        break;
      case EVENTQ_BASE.offset:
        registers.setEventqBase(lo, hi);
        break;
      case EVENTQ_IRQ_CFG0.offset:
        this.#setAddress(eventQueue.notifier, IRQ_CTRL.EVENTQ_IRQEN.mask, lo, hi);
        break;
      case PRIQ_BASE.offset:
        this.#setPriqBase(lo, hi);
        break;
      case PRIQ_IRQ_CFG0.offset:
        this.#setAddress(priNotifier, IRQ_CTRL.PRIQ_IRQEN.mask, lo, hi);
        break;
      default:
        this.write(offset, lo, 4);
        this.write(offset + HIGH, hi, 4);
    }
    this.#changed();
  }

  #write(at: number, value: number): void {
    const registers = this.#registers;
    const { commandQueue, eventQueue, errorNotifier, priQueue, priNotifier } = this.#parts;
    const { GERROR_IRQEN, EVENTQ_IRQEN, PRIQ_IRQEN } = IRQ_CTRL;
    switch (at) {
      case CR0.offset:
        return registers.setCr0(value);
      case CR1.offset:
        return registers.setCr1(value);
      case CR2.offset:
        return registers.setCr2(value);
      case GBPA.offset:
        return registers.setGbpa(value);
      case IRQ_CTRL.offset:
        return registers.setIrqCtrl(value);
      case GERRORN.offset:
        return registers.setGerrorn(value);
      case GERROR_IRQ_CFG0.offset:
        return this.#setAddress(errorNotifier, GERROR_IRQEN.mask, value, errorNotifier.cfg0[1]);
      case GERROR_IRQ_CFG0.offset + HIGH:
        return this.#setAddress(errorNotifier, GERROR_IRQEN.mask, errorNotifier.cfg0[0], value);
      case GERROR_IRQ_CFG1.offset:
        return this.#setData(errorNotifier, GERROR_IRQEN.mask, value);
      case GERROR_IRQ_CFG2.offset:
        return this.#setAttributes(errorNotifier, GERROR_IRQEN.mask, value);
      case STRTAB_BASE.offset:
        return registers.setStrtabBase(value, registers.strtabBase[1]);
      case STRTAB_BASE.offset + HIGH:
        return registers.setStrtabBase(registers.strtabBase[0], value);
      case STRTAB_BASE_CFG.offset:
        return registers.setStrtabCfg(value);
      case CMDQ_BASE.offset:
        return registers.setCmdqBase(value, commandQueue.registers.base[1]);
      case CMDQ_BASE.offset + HIGH:
        return registers.setCmdqBase(commandQueue.registers.base[0], value);
      case CMDQ_PROD.offset:
        return registers.setCmdqProd(value);
      case CMDQ_CONS.offset:
        return registers.setCmdqCons(value);
      case EVENTQ_BASE.offset:
        return registers.setEventqBase(value, eventQueue.registers.base[1]);
      case EVENTQ_BASE.offset + HIGH:
        return registers.setEventqBase(eventQueue.registers.base[0], value);
      case inPage0(EVENTQ_PROD.offset):
        return registers.setEventqProd(value);
      case inPage0(EVENTQ_CONS.offset):
        return registers.setEventqCons(value);
      case EVENTQ_IRQ_CFG0.offset:
        return this.#setAddress(eventQueue.notifier, EVENTQ_IRQEN.mask, value, eventQueue.notifier.cfg0[1]);
      case EVENTQ_IRQ_CFG0.offset + HIGH:
        return this.#setAddress(eventQueue.notifier, EVENTQ_IRQEN.mask, eventQueue.notifier.cfg0[0], value);
      case EVENTQ_IRQ_CFG1.offset:
        return this.#setData(eventQueue.notifier, EVENTQ_IRQEN.mask, value);
      case EVENTQ_IRQ_CFG2.offset:
        return this.#setAttributes(eventQueue.notifier, EVENTQ_IRQEN.mask, value);
      case PRIQ_BASE.offset:
        return this.#setPriqBase(value, priQueue.base[1]);
      case PRIQ_BASE.offset + HIGH:
        return this.#setPriqBase(priQueue.base[0], value);
      case inPage0(PRIQ_PROD.offset):
        if (this.#priqIsWritable()) priQueue.prod = value;
        return;
      case inPage0(PRIQ_CONS.offset):
        if (registers.parameters.pri) priQueue.cons = value;
        return;
      case PRIQ_IRQ_CFG0.offset:
        return this.#setAddress(priNotifier, PRIQ_IRQEN.mask, value, priNotifier.cfg0[1]);
      case PRIQ_IRQ_CFG0.offset + HIGH:
        return this.#setAddress(priNotifier, PRIQ_IRQEN.mask, priNotifier.cfg0[0], value);
      case PRIQ_IRQ_CFG1.offset:
        return this.#setData(priNotifier, PRIQ_IRQEN.mask, value);
      case PRIQ_IRQ_CFG2.offset:
        return this.#setAttributes(priNotifier, PRIQ_IRQEN.mask, value);
      default:
        this.#log.guest('SMMU write to 0x%x, which is read-only or reserved', at);
    }
  }

  #setAddress(notifier: Notifier, enable: number, lo: number, hi: number): void {
    if (this.#isWritable(notifier, enable)) notifier.setAddress(lo, hi);
  }

  #setData(notifier: Notifier, enable: number, value: number): void {
    if (this.#isWritable(notifier, enable)) notifier.cfg1 = value;
  }

  #setAttributes(notifier: Notifier, enable: number, value: number): void {
    if (this.#isWritable(notifier, enable)) notifier.cfg2 = value;
  }

  /** *_IRQ_CFG registers are RES0 without MSIs. */
  #isWritable(notifier: Notifier, enable: number): boolean {
    const { msi, pri } = this.#registers.parameters;
    if (!msi || (notifier === this.#parts.priNotifier && !pri)) return false;
    return !this.#registers.isIrqGuarded(enable);
  }

  #setPriqBase(lo: number, hi: number): void {
    if (this.#priqIsWritable()) this.#parts.priQueue.setBase(lo, hi);
  }

  #priqIsWritable(): boolean {
    return this.#registers.parameters.pri && CR0.PRIQEN(this.#registers.cr0) === 0;
  }

  // CHOICE: registers answer words and aligned doublewords; another width is RAZ/WI.
  #answers(offset: number, size: AccessSize): boolean {
    if (size === 4 && offset % 4 === 0 && offset >= 0 && offset < SMMU_FRAME_BYTES) return true;
    this.#log.guest('SMMU access of %d bytes at 0x%x', size, offset);
    return false;
  }
}

// CHOICE: pages 0 and 1 alias each other, which section 6.1 permits.
function inPage0(offset: number): number {
  return offset % PAGE_1;
}
