// SPDX-License-Identifier: Apache-2.0
// The system registers of the CPU interfaces, as Non-secure EL1 reaches them. Arm IHI 0069 section 12.2. Missing: EL2's and
// EL3's registers, and the virtual interface.

import type { ModelLog, SystemRegistersModel } from '@irqkit/core';
import {
  FIRST_LPI,
  FIRST_SPECIAL,
  ICC_AP0R_EL1,
  ICC_AP1R_EL1,
  ICC_ASGI1R_EL1,
  ICC_BPR0_EL1,
  ICC_BPR1_EL1,
  ICC_CTLR_EL1,
  ICC_DIR_EL1,
  ICC_EOIR0_EL1,
  ICC_EOIR1_EL1,
  ICC_HPPIR0_EL1,
  ICC_HPPIR1_EL1,
  ICC_IAR0_EL1,
  ICC_IAR1_EL1,
  ICC_IGRPEN0_EL1,
  ICC_IGRPEN1_EL1,
  ICC_PMR_EL1,
  ICC_RPR_EL1,
  ICC_SGI0R_EL1,
  ICC_SGI1R_EL1,
  ICC_SRE_EL1,
  SPURIOUS,
} from '../regs.js';
import type { GicV3Parameters } from '../silicon.js';
import type { CpuInterface } from './cpu-interface.js';
import type { Forwarding } from './forwarding.js';
import { NO_WORD } from './interrupts.js';
import type { Interrupts } from './interrupts.js';
import type { Lpis } from './lpis.js';
import type { Sgis } from './sgis.js';

/** The register interface is all there is: SRE, DFB and DIB read as 1. */
const SRE = ICC_SRE_EL1.SRE.mask | ICC_SRE_EL1.DFB.mask | ICC_SRE_EL1.DIB.mask;
const CTLR_BITS = ICC_CTLR_EL1.CBPR.mask | ICC_CTLR_EL1.EOImode.mask;

export interface IccParts {
  readonly interrupts: Interrupts;
  readonly interfaces: readonly CpuInterface[];
  readonly forwarding: Forwarding;
  readonly lpis: Lpis;
  readonly sgis: Sgis;
  readonly parameters: GicV3Parameters;
  readonly log: ModelLog;
}

export class IccRegisters implements SystemRegistersModel {
  readonly #interrupts: Interrupts;
  readonly #interfaces: readonly CpuInterface[];
  readonly #forwarding: Forwarding;
  readonly #lpis: Lpis;
  readonly #sgis: Sgis;
  readonly #parameters: GicV3Parameters;
  readonly #log: ModelLog;

  constructor(parts: IccParts) {
    this.#interrupts = parts.interrupts;
    this.#interfaces = parts.interfaces;
    this.#forwarding = parts.forwarding;
    this.#lpis = parts.lpis;
    this.#sgis = parts.sgis;
    this.#parameters = parts.parameters;
    this.#log = parts.log;
  }

  // UNIMP: virtualization (GICV, GICH, ICH_*, ICV_*)
  read(cpu: number, register: number): number {
    if (!(cpu >= 0 && cpu < this.#interfaces.length)) return 0;
    const own = this.#interfaces[cpu];
    switch (register) {
      case ICC_PMR_EL1.sysreg:
        return own.pmr;
      case ICC_IAR0_EL1.sysreg:
        return this.#acknowledge(cpu, own, 0);
      case ICC_HPPIR0_EL1.sysreg:
        return visible(own, 0);
      case ICC_BPR0_EL1.sysreg:
        return own.bpr0;
      case ICC_AP0R_EL1.sysreg:
      case ICC_AP0R_EL1.sysreg + 1:
      case ICC_AP0R_EL1.sysreg + 2:
      case ICC_AP0R_EL1.sysreg + 3:
        return own.ap0r[register - ICC_AP0R_EL1.sysreg];
      case ICC_AP1R_EL1.sysreg:
      case ICC_AP1R_EL1.sysreg + 1:
      case ICC_AP1R_EL1.sysreg + 2:
      case ICC_AP1R_EL1.sysreg + 3:
        return own.ap1r[register - ICC_AP1R_EL1.sysreg];
      case ICC_RPR_EL1.sysreg:
        return Math.min(own.running, 0xff);
      case ICC_IAR1_EL1.sysreg:
        return this.#acknowledge(cpu, own, 1);
      case ICC_HPPIR1_EL1.sysreg:
        return visible(own, 1);
      case ICC_BPR1_EL1.sysreg:
        return own.bpr1;
      case ICC_CTLR_EL1.sysreg:
        return (own.ctlr | this.#parameters.iccCtlr) >>> 0;
      case ICC_SRE_EL1.sysreg:
        return SRE;
      case ICC_IGRPEN0_EL1.sysreg:
        return own.igrpen0;
      case ICC_IGRPEN1_EL1.sysreg:
        return own.igrpen1;
      default:
        this.#log.guest('MRS of system register 0x%x, which the GIC has not', register);
        return 0;
    }
  }

  write(cpu: number, register: number, lo: number, hi: number): void {
    if (!(cpu >= 0 && cpu < this.#interfaces.length)) return;
    const own = this.#interfaces[cpu];
    switch (register) {
      case ICC_PMR_EL1.sysreg:
        own.pmr = lo & (0xff << (8 - this.#parameters.priorityBits)) & 0xff;
        break;
      case ICC_EOIR0_EL1.sysreg:
        return this.#end(cpu, own, ICC_EOIR0_EL1.INTID(lo), 0);
      case ICC_BPR0_EL1.sysreg:
        own.bpr0 = ICC_BPR0_EL1.BinaryPoint(lo);
        break;
      case ICC_AP0R_EL1.sysreg:
      case ICC_AP0R_EL1.sysreg + 1:
      case ICC_AP0R_EL1.sysreg + 2:
      case ICC_AP0R_EL1.sysreg + 3:
        own.setActivePriorities(own.ap0r, register - ICC_AP0R_EL1.sysreg, lo);
        break;
      case ICC_AP1R_EL1.sysreg:
      case ICC_AP1R_EL1.sysreg + 1:
      case ICC_AP1R_EL1.sysreg + 2:
      case ICC_AP1R_EL1.sysreg + 3:
        own.setActivePriorities(own.ap1r, register - ICC_AP1R_EL1.sysreg, lo);
        break;
      case ICC_DIR_EL1.sysreg:
        return this.#deactivateBySoftware(cpu, own, ICC_DIR_EL1.INTID(lo));
      case ICC_SGI1R_EL1.sysreg:
        return this.#sgis.send(cpu, 1, lo, hi);
      // CHOICE: with one Security state the alias reaches SGIs of Group 0, as in QEMU.
      case ICC_ASGI1R_EL1.sysreg:
      case ICC_SGI0R_EL1.sysreg:
        return this.#sgis.send(cpu, 0, lo, hi);
      case ICC_EOIR1_EL1.sysreg:
        return this.#end(cpu, own, ICC_EOIR1_EL1.INTID(lo), 1);
      case ICC_BPR1_EL1.sysreg:
        own.bpr1 = ICC_BPR1_EL1.BinaryPoint(lo);
        break;
      case ICC_CTLR_EL1.sysreg:
        own.ctlr = lo & CTLR_BITS;
        break;
      case ICC_SRE_EL1.sysreg:
        return;
      case ICC_IGRPEN0_EL1.sysreg:
        own.igrpen0 = ICC_IGRPEN0_EL1.Enable(lo);
        return this.#forwarding.enablesChanged(cpu);
      case ICC_IGRPEN1_EL1.sysreg:
        own.igrpen1 = ICC_IGRPEN1_EL1.Enable(lo);
        return this.#forwarding.enablesChanged(cpu);
      default:
        return this.#log.guest('MSR of system register 0x%x, which the GIC has not', register);
    }
    own.drive();
  }

  #acknowledge(cpu: number, own: CpuInterface, group: number): number {
    if (own.forwarded === SPURIOUS || own.forwardedGroup !== group || !own.signalled) return SPURIOUS;
    const intid = own.forwarded;
    own.activate();
    if (intid >= FIRST_LPI) {
      // An LPI has no active state. Section 5.1
      this.#lpis.clearPending(cpu, intid);
      return intid;
    }
    const interrupts = this.#interrupts;
    const word = interrupts.wordOf(intid);
    const slot = interrupts.slot(cpu, word);
    const bit = intid & 31;
    interrupts.latched[slot] &= ~(1 << bit);
    interrupts.active[slot] |= 1 << bit;
    this.#forwarding.changed(cpu, word, bit);
    return intid;
  }

  // CHOICE: an end that does not match the last acknowledge drops the highest active priority and deactivates that INTID;
  // one for the group that is not the highest active one is ignored. Both as in QEMU.
  #end(cpu: number, own: CpuInterface, intid: number, group: number): void {
    if (intid >= FIRST_SPECIAL && intid <= SPURIOUS) return;
    if (own.activeGroup !== group) return this.#log.guest('ICC_EOIR%d_EL1: INTID %d is not active', group, intid);
    own.drop(group);
    if (ICC_CTLR_EL1.EOImode(own.ctlr) === 0) this.#deactivate(cpu, intid);
    own.drive();
  }

  #deactivateBySoftware(cpu: number, own: CpuInterface, intid: number): void {
    // CHOICE: ICC_DIR_EL1 is ignored while ICC_EOIR*_EL1 deactivates.
    if (ICC_CTLR_EL1.EOImode(own.ctlr) === 0) return this.#log.guest('ICC_DIR_EL1: INTID %d while EOImode is 0', intid);
    this.#deactivate(cpu, intid);
  }

  #deactivate(cpu: number, intid: number): void {
    if (intid >= FIRST_LPI) return;
    const word = this.#interrupts.wordOf(intid);
    if (word === NO_WORD) return this.#log.guest('INTID %d, which does not exist, is not active', intid);
    this.#interrupts.active[this.#interrupts.slot(cpu, word)] &= ~(1 << (intid & 31));
    this.#forwarding.changed(cpu, word, intid & 31);
  }
}

// CHOICE: what ICC_PMR_EL1 masks is not shown in ICC_HPPIR*_EL1 either, as in QEMU.
function visible(own: CpuInterface, group: number): number {
  return own.unmasked && own.forwardedGroup === group ? own.forwarded : SPURIOUS;
}
