// SPDX-License-Identifier: Apache-2.0
// The Distributor's choice: for each CPU the pending interrupt of highest priority. Arm IHI 0048B chapter 3.
// Each CPU has a bitmap of what is ready for it and a summary of that bitmap's words; both follow every change at once.

import { GICD_CTLR, SPURIOUS } from '../regs.js';
import type { CpuInterface } from './cpu-interface.js';
import type { Interrupts } from './interrupts.js';

export class Forwarding {
  /** GICD_CTLR */
  ctlr = 0;
  readonly #interrupts: Interrupts;
  readonly #interfaces: readonly CpuInterface[];
  /** At cpu * nrWords + word: the interrupts that target the CPU. */
  readonly #targeted: Uint32Array;
  readonly #ready: Uint32Array;
  /** For each CPU, bit w is set while word w of its ready bitmap is not 0. */
  readonly #summary: Uint32Array;
  /** For each CPU, all ones where its interrupts of that group are forwarded. */
  readonly #gate0: Uint32Array;
  readonly #gate1: Uint32Array;

  constructor(interrupts: Interrupts, interfaces: readonly CpuInterface[]) {
    const { nrCpus, nrWords } = interrupts;
    this.#interrupts = interrupts;
    this.#interfaces = interfaces;
    this.#targeted = new Uint32Array(nrCpus * nrWords);
    this.#ready = new Uint32Array(nrCpus * nrWords);
    this.#summary = new Uint32Array(nrCpus);
    this.#gate0 = new Uint32Array(nrCpus);
    this.#gate1 = new Uint32Array(nrCpus);
    this.rebuild();
  }

  /** The state of `intid` has changed, as `cpu` sees it. Its targets, group and priority have not. */
  changed(cpu: number, intid: number): void {
    const word = intid >>> 5;
    if (word === 0) this.#refresh(cpu, word);
    else
      for (let left = this.#interrupts.targets[this.#interrupts.index(0, intid)]; left !== 0; left &= left - 1)
        this.#refresh(31 - Math.clz32(left & -left), word);
  }

  /** Anything but targets may have changed in `word` of `cpu`'s view. */
  wordChanged(cpu: number, word: number): void {
    if (word === 0) this.#reselect(cpu, word);
    else for (let each = 0; each < this.#interfaces.length; each++) this.#reselect(each, word);
  }

  /** The targets of SPIs in `word` have changed. */
  targetsChanged(word: number): void {
    for (let cpu = 0; cpu < this.#interfaces.length; cpu++) {
      this.#retarget(cpu, word);
      this.#reselect(cpu, word);
    }
  }

  /** GICD_CTLR or the CPU's GICC_CTLR has changed. */
  enablesChanged(cpu: number): void {
    const cpuInterface = this.#interfaces[cpu];
    this.#gate0[cpu] = GICD_CTLR.EnableGrp0(this.ctlr) === 1 && cpuInterface.enables(0) ? 0xffff_ffff : 0;
    this.#gate1[cpu] = GICD_CTLR.EnableGrp1(this.ctlr) === 1 && cpuInterface.enables(1) ? 0xffff_ffff : 0;
    for (let word = 0; word < this.#interrupts.nrWords; word++) this.#gather(cpu, word);
    this.#select(cpu);
  }

  /** Everything may have changed. */
  rebuild(): void {
    for (let cpu = 0; cpu < this.#interfaces.length; cpu++) {
      for (let word = 0; word < this.#interrupts.nrWords; word++) this.#retarget(cpu, word);
      this.enablesChanged(cpu);
    }
  }

  #refresh(cpu: number, word: number): void {
    if (this.#gather(cpu, word)) this.#select(cpu);
  }

  #reselect(cpu: number, word: number): void {
    this.#gather(cpu, word);
    this.#select(cpu);
  }

  #retarget(cpu: number, word: number): void {
    const { targets } = this.#interrupts;
    const first = this.#interrupts.slot(cpu, word) * 32;
    let bits = 0;
    for (let bit = 0; bit < 32; bit++) if ((targets[first + bit] >>> cpu) & 1) bits |= 1 << bit;
    this.#targeted[cpu * this.#interrupts.nrWords + word] = bits;
  }

  // True where the ready bits of the word are other than before.
  #gather(cpu: number, word: number): boolean {
    const interrupts = this.#interrupts;
    const slot = interrupts.slot(cpu, word);
    const at = cpu * interrupts.nrWords + word;
    const group = interrupts.group[slot];
    const forwarded = (this.#gate0[cpu] & ~group) | (this.#gate1[cpu] & group);
    // CHOICE: an SPI that is active on one CPU is forwarded to none; its active state is one for all.
    const ready =
      (interrupts.pending(slot) &
        interrupts.enabled[slot] &
        ~interrupts.active[slot] &
        this.#targeted[at] &
        forwarded) >>>
      0;
    if (ready === this.#ready[at]) return false;
    this.#ready[at] = ready;
    const bit = 1 << word;
    this.#summary[cpu] = ready === 0 ? this.#summary[cpu] & ~bit : this.#summary[cpu] | bit;
    return true;
  }

  // CHOICE: of equal priorities the lowest INTID goes first; the order is left to the implementation. An SPI with
  // several targets is signalled to all of them, and the first to acknowledge it has it (1-N model).
  #select(cpu: number): void {
    const interrupts = this.#interrupts;
    const { priority } = interrupts;
    const at = cpu * interrupts.nrWords;
    let best = SPURIOUS;
    let highest = 0x100;
    for (let words = this.#summary[cpu]; words !== 0; words &= words - 1) {
      const word = 31 - Math.clz32(words & -words);
      const first = interrupts.slot(cpu, word) * 32;
      for (let bits = this.#ready[at + word]; bits !== 0; bits &= bits - 1) {
        const bit = 31 - Math.clz32(bits & -bits);
        if (priority[first + bit] >= highest) continue;
        highest = priority[first + bit];
        best = word * 32 + bit;
      }
    }
    this.#interfaces[cpu].forward(best, highest, best === SPURIOUS ? 0 : interrupts.groupOf(cpu, best));
  }
}
