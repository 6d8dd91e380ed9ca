// SPDX-License-Identifier: Apache-2.0
// One CPU interface: masking, running priority and the IRQ output. Arm IHI 0069 section 4.8.

import type { IrqLine } from '@irqkit/core';
import { ICC_CTLR_EL1, SPURIOUS } from '../regs.js';
import { NO_PRIORITY } from './lpi-queue.js';

const IDLE = NO_PRIORITY;

export interface CpuInterfaceState {
  readonly ctlr: number;
  readonly pmr: number;
  readonly bpr0: number;
  readonly bpr1: number;
  readonly igrpen0: number;
  readonly igrpen1: number;
  readonly ap0r: Uint32Array;
  readonly ap1r: Uint32Array;
}

export class CpuInterface {
  /** ICC_CTLR_EL1.CBPR and EOImode. */
  ctlr = 0;
  pmr = 0;
  igrpen0 = 0;
  igrpen1 = 0;
  /** Active Group 0 and Group 1 priorities, one bit for each preemption level. */
  readonly ap0r = new Uint32Array(4);
  readonly ap1r = new Uint32Array(4);
  /** The INTID that the Redistributor forwards, SPURIOUS for none, with its priority and group. */
  forwarded = SPURIOUS;
  readonly #minBpr: number;
  readonly #line: IrqLine;
  #bpr0: number;
  #bpr1: number;
  #priority = IDLE;
  #group = 0;
  #running = IDLE;
  #level = false;

  constructor(priorityBits: number, line: IrqLine) {
    // Group priorities have at most 7 bits. Section 4.8.2
    this.#minBpr = 7 - Math.min(priorityBits, 7);
    this.#line = line;
    this.#bpr0 = this.#minBpr;
    this.#bpr1 = this.#minBpr + 1;
  }

  get bpr0(): number {
    return this.#bpr0;
  }

  /** Values below the smallest that is implemented set the smallest. */
  set bpr0(value: number) {
    this.#bpr0 = Math.max(value, this.#minBpr);
  }

  /** The Non-secure register; what is written while ICC_CTLR_EL1.CBPR joins it with the other is ignored. */
  get bpr1(): number {
    return ICC_CTLR_EL1.CBPR(this.ctlr) === 1 ? Math.min(this.#bpr0 + 1, 7) : this.#bpr1;
  }

  set bpr1(value: number) {
    if (ICC_CTLR_EL1.CBPR(this.ctlr) === 0) this.#bpr1 = Math.max(value, this.#minBpr + 1);
  }

  /** The group priority of what is active, 0x100 when nothing is. */
  get running(): number {
    return this.#running;
  }

  get forwardedGroup(): number {
    return this.#group;
  }

  /** The group of the highest active priority; -1 when nothing is active. */
  get activeGroup(): number {
    for (let word = 0; word < 4; word++) {
      const bits = this.ap0r[word] | this.ap1r[word];
      if (bits !== 0) return (this.ap0r[word] & (bits & -bits)) !== 0 ? 0 : 1;
    }
    return -1;
  }

  /** Takes what the Redistributor forwards and drives the output. */
  forward(intid: number, priority: number, group: number): void {
    this.forwarded = intid;
    this.#priority = priority;
    this.#group = group;
    this.drive();
  }

  /** True where something is forwarded that ICC_PMR_EL1 lets through. */
  get unmasked(): boolean {
    return this.#priority < this.pmr;
  }

  /** True where what is forwarded would interrupt the processor: section 4.8.5 compares group priorities. */
  get signalled(): boolean {
    return this.#priority < this.pmr && this.#groupPriority() < this.#running;
  }

  /** Marks the priority of what is forwarded active. */
  activate(): void {
    const level = this.#groupPriority() >>> (this.#minBpr + 1);
    const active = this.#group === 0 ? this.ap0r : this.ap1r;
    active[level >>> 5] |= 1 << (level & 31);
    this.#run();
  }

  /** Drops the highest active priority of a group. */
  drop(group: number): void {
    const active = group === 0 ? this.ap0r : this.ap1r;
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
      const bits = this.ap0r[word] | this.ap1r[word];
      if (bits !== 0) this.#running = (word * 32 + 31 - Math.clz32(bits & -bits)) << (this.#minBpr + 1);
    }
  }

  /** Sets the output to what the state says. */
  // UNIMP: FIQ outputs
  drive(): void {
    const level = this.#group === 1 && this.signalled;
    if (level === this.#level) return;
    this.#level = level;
    this.#line.set(level);
  }

  /** The state, as plain data. */
  save(): CpuInterfaceState {
    const { ctlr, pmr, igrpen0, igrpen1 } = this;
    const [bpr0, bpr1] = [this.#bpr0, this.#bpr1];
    return { ctlr, pmr, bpr0, bpr1, igrpen0, igrpen1, ap0r: this.ap0r.slice(), ap1r: this.ap1r.slice() };
  }

  /** Takes a state back. The output follows when the Redistributor forwards again. */
  restore(state: CpuInterfaceState): void {
    this.ctlr = state.ctlr;
    this.pmr = state.pmr;
    this.igrpen0 = state.igrpen0;
    this.igrpen1 = state.igrpen1;
    this.#bpr0 = state.bpr0;
    this.#bpr1 = state.bpr1;
    this.ap0r.set(state.ap0r);
    this.ap1r.set(state.ap1r);
    this.#run();
  }

  #groupPriority(): number {
    // Group 1 has its own binary point, one bit coarser for the same value, unless CBPR joins them. Section 4.8.2
    const own = this.#group === 1 && ICC_CTLR_EL1.CBPR(this.ctlr) === 0;
    return this.#priority & (0xfe << (own ? this.#bpr1 - 1 : this.#bpr0));
  }
}
