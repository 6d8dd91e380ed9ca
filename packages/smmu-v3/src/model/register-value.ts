// SPDX-License-Identifier: Apache-2.0
// What the registers of an SMMU read as. Arm IHI 0070, sections 6.2 and 6.3.

import {
  AIDR,
  CMDQ_BASE,
  CMDQ_CONS,
  CMDQ_PROD,
  CR0,
  CR0ACK,
  CR1,
  CR2,
  EVENTQ_BASE,
  EVENTQ_CONS,
  EVENTQ_IRQ_CFG0,
  EVENTQ_IRQ_CFG1,
  EVENTQ_IRQ_CFG2,
  EVENTQ_PROD,
  GBPA,
  GERROR,
  GERRORN,
  GERROR_IRQ_CFG0,
  GERROR_IRQ_CFG1,
  GERROR_IRQ_CFG2,
  IDR0,
  IDR1,
  IDR2,
  IDR3,
  IDR4,
  IDR5,
  IIDR,
  IRQ_CTRL,
  IRQ_CTRLACK,
  PAGE_1,
  PIDR4,
  PRIQ_BASE,
  PRIQ_CONS,
  PRIQ_IRQ_CFG0,
  PRIQ_IRQ_CFG1,
  PRIQ_IRQ_CFG2,
  PRIQ_PROD,
  STRTAB_BASE,
  STRTAB_BASE_CFG,
} from '../regs.js';
import type { SmmuParts } from './smmu-parts.js';
import type { SmmuRegisters } from './smmu-registers.js';

/** PIDR4-7, PIDR0-3 and CIDR0-3 as in QEMU: designed by Arm. */
const ID_BYTES = [0x04, 0x00, 0x00, 0x00, 0x84, 0xb4, 0xf0, 0x10, 0x0d, 0xf0, 0x05, 0xb1] as const;
const HIGH = 4;

/** The word at an offset in page 0, where those of page 1 stand too. */
export function registerValue(at: number, registers: SmmuRegisters, parts: SmmuParts): number {
  const { parameters } = registers;
  const { commandQueue, eventQueue, errors, errorNotifier, priQueue, priNotifier } = parts;
  switch (at) {
    case IDR0.offset:
      return parameters.idr0;
    case IDR1.offset:
      return parameters.idr1;
    case IDR2.offset:
      return parameters.idr2;
    case IDR3.offset:
      return parameters.idr3;
    case IDR4.offset:
      return parameters.idr4;
    case IDR5.offset:
      return parameters.idr5;
    case IIDR.offset:
      return parameters.iidr;
    case AIDR.offset:
      return parameters.aidr;
    case CR0.offset:
    case CR0ACK.offset:
      return registers.cr0;
    case CR1.offset:
      return registers.cr1;
    case CR2.offset:
      return registers.cr2;
    case GBPA.offset:
      return registers.gbpa;
    case IRQ_CTRL.offset:
    case IRQ_CTRLACK.offset:
      return registers.irqCtrl;
    case GERROR.offset:
      return errors.gerror;
    case GERRORN.offset:
      return errors.gerrorn;
    case GERROR_IRQ_CFG0.offset:
      return errorNotifier.cfg0[0];
    case GERROR_IRQ_CFG0.offset + HIGH:
      return errorNotifier.cfg0[1];
    case GERROR_IRQ_CFG1.offset:
      return errorNotifier.cfg1;
    case GERROR_IRQ_CFG2.offset:
      return errorNotifier.cfg2;
    case STRTAB_BASE.offset:
      return registers.strtabBase[0];
    case STRTAB_BASE.offset + HIGH:
      return registers.strtabBase[1];
    case STRTAB_BASE_CFG.offset:
      return registers.strtabCfg;
    case CMDQ_BASE.offset:
      return commandQueue.registers.base[0];
    case CMDQ_BASE.offset + HIGH:
      return commandQueue.registers.base[1];
    case CMDQ_PROD.offset:
      return commandQueue.registers.prod;
    case CMDQ_CONS.offset:
      return registers.cmdqCons;
    case EVENTQ_BASE.offset:
      return eventQueue.registers.base[0];
    case EVENTQ_BASE.offset + HIGH:
      return eventQueue.registers.base[1];
    case EVENTQ_PROD.offset - PAGE_1:
      return registers.eventqProd;
    case EVENTQ_CONS.offset - PAGE_1:
      return registers.eventqCons;
    case EVENTQ_IRQ_CFG0.offset:
      return eventQueue.notifier.cfg0[0];
    case EVENTQ_IRQ_CFG0.offset + HIGH:
      return eventQueue.notifier.cfg0[1];
    case EVENTQ_IRQ_CFG1.offset:
      return eventQueue.notifier.cfg1;
    case EVENTQ_IRQ_CFG2.offset:
      return eventQueue.notifier.cfg2;
    case PRIQ_BASE.offset:
      return priQueue.base[0];
    case PRIQ_BASE.offset + HIGH:
      return priQueue.base[1];
    case PRIQ_PROD.offset - PAGE_1:
      return priQueue.prod;
    case PRIQ_CONS.offset - PAGE_1:
      return priQueue.cons;
    case PRIQ_IRQ_CFG0.offset:
      return priNotifier.cfg0[0];
    case PRIQ_IRQ_CFG0.offset + HIGH:
      return priNotifier.cfg0[1];
    case PRIQ_IRQ_CFG1.offset:
      return priNotifier.cfg1;
    case PRIQ_IRQ_CFG2.offset:
      return priNotifier.cfg2;
    default:
      return idByte(at);
  }
}

function idByte(at: number): number {
  return at >= PIDR4.offset ? (ID_BYTES[(at - PIDR4.offset) >>> 2] ?? 0) : 0;
}
