// SPDX-License-Identifier: Apache-2.0
// One CPU interface: masking, running priority and the IRQ output. Arm IHI 0048B sections 3.3 and 4.4.

import type { IrqLine } from '@irqkit/core';
import { GICC_CTLR, SPURIOUS } from '../regs.js';

/** Lower than every priority. GICC_RPR shows it as 0xff. */
const IDLE = 0x100;

export interface CpuInterfaceState {
  readonly ctlr: number;
  readonly pmr: number;
  readonly bpr: number;
  readonly abpr: number;
  readonly apr: Uint32Array;
  readonly nsapr: Uint32Array;
}

export class CpuInterface {
  ctlr = 0;
  pmr = 0;
  /** Active Group 0 and Group 1 priorities, one bit for each preemption level. */
  readonly apr = new Uint32Array(4);
  readonly nsapr = new Uint32Array(4);
  /** The INTID that the Distributor forwards, SPURIOUS for none, with its priority and group. */
  forwarded = SPURIOUS;
  readonly #minBpr: number;
  readonly #line: IrqLine | undefined;
  #bpr: number;
  #abpr: number;
  #priority = IDLE;
  #group = 0;
  #running = IDLE;
  #level = false;

  constructor(priorityBits: number, line: IrqLine | undefined) {
    // GICC_BPR: group priorities have at most 7 bits.
    this.#minBpr = 7 - Math.min(priorityBits, 7);
    this.#line = line;
    this.#bpr = this.#minBpr;
    this.#abpr = this.#minBpr + 1;
  }

  get bpr(): number {
    return this.#bpr;
  }

  /** Values below the smallest that is implemented set the smallest. */
  set bpr(value: number) {
    this.#bpr = Math.max(value, this.#minBpr);
  }

  get abpr(): number {
    return this.#abpr;
  }

  set abpr(value: number) {
    this.#abpr = Math.max(value, this.#minBpr + 1);
  }

  /** The group priority of what is active, 0x100 when nothing is. */
  get running(): number {
    return this.#running;
  }

  get forwardedGroup(): number {
    return this.#group;
  }

  /** GICC_CTLR.EnableGrp0 or EnableGrp1. */
  enables(group: number): boolean {
    return (group === 0 ? GICC_CTLR.EnableGrp0(this.ctlr) : GICC_CTLR.EnableGrp1(this.ctlr)) === 1;
  }

  /** Takes what the Distributor forwards and drives the output. */
  forward(intid: number, priority: number, group: number): void {
    this.forwarded = intid;
    this.#priority = priority;
    this.#group = group;
    this.drive();
  }

  /** True where something is forwarded that GICC_PMR lets through. */
  get unmasked(): boolean {
    return this.#priority < this.pmr;
  }

  /** True where what is forwarded would interrupt the processor: group priorities are compared, section 3.3. */
  get signalled(): boolean {
    return this.unmasked && this.#groupPriority() < this.#running;
  }

  /** Marks the priority of what is forwarded active. */
  activate(): void {
    const level = this.#groupPriority() >>> (this.#minBpr + 1);
    const active = this.#group === 0 ? this.apr : this.nsapr;
    active[level >>> 5] |= 1 << (level & 31);
    this.#run();
  }

  /** Drops the highest active priority of a group. */
  drop(group: number): void {
    const active = group === 0 ? this.apr : this.nsapr;
    for (let word = 0; word < 4; word++) {
      if (active[word] === 0) continue;
      active[word] &= active[word] - 1;
      break;
    }
    this.#run();
  }

  /** Software's write of an active priorities register; levels that are not implemented stay 0. */
  setActivePriorities(active: Uint32Array, word: number, value: number): void {
    const levels = 2 ** (7 - this.#minBpr) - word * 32;
    active[word] = levels >= 32 ? value : levels > 0 ? value & (2 ** levels - 1) : 0;
    this.#run();
  }

  // The running priority follows from the active ones.
  #run(): void {
    this.#running = IDLE;
    for (let word = 3; word >= 0; word--) {
      const bits = this.apr[word] | this.nsapr[word];
      if (bits !== 0) this.#running = (word * 32 + 31 - Math.clz32(bits & -bits)) << (this.#minBpr + 1);
    }
  }

  /** Sets the output to what the state says. */
  drive(): void {
    const level = this.signalled && !(this.#group === 0 && GICC_CTLR.FIQEn(this.ctlr) === 1);
    if (level === this.#level) return;
    this.#level = level;
    this.#line?.set(level);
  }

  /** The state, as plain data. */
  save(): CpuInterfaceState {
    const { ctlr, pmr, bpr, abpr } = this;
    return { ctlr, pmr, bpr, abpr, apr: this.apr.slice(), nsapr: this.nsapr.slice() };
  }

  /** Takes a state back. The output follows when the Distributor forwards again. */
  restore(state: CpuInterfaceState): void {
    this.ctlr = state.ctlr;
    this.pmr = state.pmr;
    this.bpr = state.bpr;
    this.abpr = state.abpr;
    this.apr.set(state.apr);
    this.nsapr.set(state.nsapr);
    this.#run();
  }

  #groupPriority(): number {
    // Group 1 has its own binary point, one bit coarser for the same value, unless CBPR joins them.
    const point = this.#group === 1 && GICC_CTLR.CBPR(this.ctlr) === 0 ? this.#abpr - 1 : this.#bpr;
    return this.#priority & (0xfe << point);
  }
}
