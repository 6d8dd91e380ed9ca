// SPDX-License-Identifier: Apache-2.0
// The register frame of the CPU interfaces (GICC), banked by the CPU that accesses it. Arm IHI 0048B section 4.4.

import type { AccessSize, MmioModel, ModelLog, Requester } from '@irqkit/core';
import {
  FIRST_PPI,
  GICC_ABPR,
  GICC_AEOIR,
  GICC_AHPPIR,
  GICC_AIAR,
  GICC_APR,
  GICC_BPR,
  GICC_CTLR,
  GICC_DIR,
  GICC_EOIR,
  GICC_HPPIR,
  GICC_IAR,
  GICC_IIDR,
  GICC_NSAPR,
  GICC_PMR,
  GICC_RPR,
  NR_INTIDS,
  SPURIOUS,
  SPURIOUS_GROUP1,
} from '../regs.js';
import type { GicV2Parameters } from '../silicon.js';
import type { CpuInterface } from './cpu-interface.js';
import type { Forwarding } from './forwarding.js';
import type { Interrupts } from './interrupts.js';

/** GICC_CTLR's bits without the Security Extensions. */
const CTLR_BITS = 0x3ff;

export class CpuInterfaceFrame implements MmioModel {
  readonly #interrupts: Interrupts;
  readonly #forwarding: Forwarding;
  readonly #interfaces: readonly CpuInterface[];
  readonly #parameters: GicV2Parameters;
  readonly #log: ModelLog;

  constructor(
    interrupts: Interrupts,
    forwarding: Forwarding,
    interfaces: readonly CpuInterface[],
    parameters: GicV2Parameters,
    log: ModelLog,
  ) {
    this.#interrupts = interrupts;
    this.#forwarding = forwarding;
    this.#interfaces = interfaces;
    this.#parameters = parameters;
    this.#log = log;
  }

  read(offset: number, size: AccessSize, by: Requester): number {
    if (!this.#answers(offset, size, by)) return 0;
    const own = this.#interfaces[by.cpu];
    switch (offset) {
      case GICC_CTLR.offset:
        return own.ctlr;
      case GICC_PMR.offset:
        return own.pmr;
      case GICC_BPR.offset:
        return own.bpr;
      case GICC_IAR.offset:
        return this.#acknowledge(by.cpu, own, this.#visible(own));
      case GICC_RPR.offset:
        return Math.min(own.running, 0xff);
      case GICC_HPPIR.offset:
        return this.#withSource(by.cpu, this.#visible(own));
      case GICC_ABPR.offset:
        return own.abpr;
      case GICC_AIAR.offset:
        return this.#acknowledge(by.cpu, own, visibleInGroup1(own));
      case GICC_AHPPIR.offset:
        return this.#withSource(by.cpu, visibleInGroup1(own));
      case GICC_APR.offset:
      case GICC_APR.offset + 4:
      case GICC_APR.offset + 8:
      case GICC_APR.offset + 12:
        return own.apr[(offset - GICC_APR.offset) >>> 2];
      case GICC_NSAPR.offset:
      case GICC_NSAPR.offset + 4:
      case GICC_NSAPR.offset + 8:
      case GICC_NSAPR.offset + 12:
        return own.nsapr[(offset - GICC_NSAPR.offset) >>> 2];
      case GICC_IIDR.offset:
        return this.#parameters.giccIidr;
      default:
        return 0;
    }
  }

  write(offset: number, value: number, size: AccessSize, by: Requester): void {
    if (!this.#answers(offset, size, by)) return;
    const own = this.#interfaces[by.cpu];
    switch (offset) {
      case GICC_CTLR.offset:
        own.ctlr = value & CTLR_BITS;
        // UNIMP: FIQ outputs
        if (GICC_CTLR.FIQEn(value)) this.#log.unimp('GICC_CTLR.FIQEn: Group 0 would go to an FIQ input');
        this.#forwarding.enablesChanged(by.cpu);
        return;
      case GICC_PMR.offset:
        own.pmr = value & (0xff << (8 - this.#parameters.priorityBits)) & 0xff;
        break;
      case GICC_BPR.offset:
        own.bpr = GICC_BPR.Binary_point(value);
        break;
      case GICC_EOIR.offset:
        return this.#end(by.cpu, own, value, false);
      case GICC_ABPR.offset:
        own.abpr = GICC_ABPR.Binary_point(value);
        break;
      case GICC_AEOIR.offset:
        return this.#end(by.cpu, own, value, true);
      case GICC_APR.offset:
      case GICC_APR.offset + 4:
      case GICC_APR.offset + 8:
      case GICC_APR.offset + 12:
        own.setActivePriorities(own.apr, (offset - GICC_APR.offset) >>> 2, value);
        break;
      case GICC_NSAPR.offset:
      case GICC_NSAPR.offset + 4:
      case GICC_NSAPR.offset + 8:
      case GICC_NSAPR.offset + 12:
        own.setActivePriorities(own.nsapr, (offset - GICC_NSAPR.offset) >>> 2, value);
        break;
      case GICC_DIR.offset:
        return this.#deactivateBySoftware(by.cpu, own, value);
      default:
        return;
    }
    own.drive();
  }

  // CHOICE: a GICC register answers words only; section 4.1 lists no other width for any of them.
  #answers(offset: number, size: AccessSize, by: Requester): boolean {
    if (size === 4 && offset % 4 === 0 && by.cpu >= 0 && by.cpu < this.#interfaces.length) return true;
    this.#log.guest('GICC access of %d bytes at 0x%x by CPU %d', size, offset, by.cpu);
    return false;
  }

  /** What GICC_IAR and GICC_HPPIR see of the highest priority pending interrupt. */
  #visible(own: CpuInterface): number {
    // CHOICE: what GICC_PMR masks is not shown in GICC_HPPIR either, as in QEMU.
    if (!own.unmasked) return SPURIOUS;
    return own.forwardedGroup === 1 && GICC_CTLR.AckCtl(own.ctlr) === 0 ? SPURIOUS_GROUP1 : own.forwarded;
  }

  #acknowledge(cpu: number, own: CpuInterface, intid: number): number {
    if (intid >= NR_INTIDS) return intid;
    if (!own.signalled) return SPURIOUS;
    const interrupts = this.#interrupts;
    const slot = interrupts.slot(cpu, intid >>> 5);
    const bit = 1 << (intid & 31);
    const value = this.#withSource(cpu, intid);
    if (intid < FIRST_PPI) {
      const sources = interrupts.sgiSources[cpu * 16 + intid] & (interrupts.sgiSources[cpu * 16 + intid] - 1);
      interrupts.sgiSources[cpu * 16 + intid] = sources;
      if (sources === 0) interrupts.latched[slot] &= ~bit;
    } else interrupts.latched[slot] &= ~bit;
    interrupts.active[slot] |= bit;
    own.activate();
    this.#forwarding.changed(cpu, intid);
    return value;
  }

  // CHOICE: of several CPUs that sent one SGI, the lowest is told first; GICC_IAR leaves the order open.
  #withSource(cpu: number, intid: number): number {
    if (intid >= FIRST_PPI) return intid;
    const sources = this.#interrupts.sgiSources[cpu * 16 + intid];
    return sources === 0 ? intid : GICC_IAR.CPUID.set(intid, 31 - Math.clz32(sources & -sources));
  }

  // CHOICE: an end that does not match the last acknowledge is taken as it is, as in QEMU: it drops the highest priority
  // of the interrupt's group and deactivates that INTID. GICC_EOIR ends Group 1 whatever AckCtl says.
  #end(cpu: number, own: CpuInterface, value: number, group1Only: boolean): void {
    const intid = GICC_EOIR.EOIINTID(value);
    if (intid >= NR_INTIDS) return;
    if (intid >= this.#interrupts.nrIrqs) return this.#log.guest('GICC_EOIR: no INTID %d', intid);
    if (own.running > 0xff) return this.#log.guest('GICC_EOIR %d with nothing active', intid);
    const group = this.#interrupts.groupOf(cpu, intid);
    if (group1Only && group === 0) return this.#log.guest('GICC_AEOIR %d: not a Group 1 interrupt', intid);
    own.drop(group);
    if (GICC_CTLR.EOImode(own.ctlr) === 0) this.#deactivate(cpu, intid);
    own.drive();
  }

  #deactivateBySoftware(cpu: number, own: CpuInterface, value: number): void {
    const intid = GICC_DIR.Interrupt_ID(value);
    // CHOICE: GICC_DIR is ignored while GICC_EOIR deactivates.
    if (GICC_CTLR.EOImode(own.ctlr) === 0) return this.#log.guest('GICC_DIR %d while EOImode is 0', intid);
    if (intid >= this.#interrupts.nrIrqs) return this.#log.guest('GICC_DIR: no INTID %d', intid);
    this.#deactivate(cpu, intid);
  }

  #deactivate(cpu: number, intid: number): void {
    this.#interrupts.active[this.#interrupts.slot(cpu, intid >>> 5)] &= ~(1 << (intid & 31));
    this.#forwarding.changed(cpu, intid);
  }
}

function visibleInGroup1(own: CpuInterface): number {
  return own.unmasked && own.forwardedGroup === 1 ? own.forwarded : SPURIOUS;
}
