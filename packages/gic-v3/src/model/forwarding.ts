// SPDX-License-Identifier: Apache-2.0
// For each CPU, the pending interrupt of highest priority. Arm IHI 0069 sections 4.1 and 4.8.
// Each CPU has a bitmap of what is ready for it and a summary of that bitmap's words; both follow every change at once.

import { GICD_CTLR, GICR_CTLR, GICR_WAKER, SPURIOUS } from '../regs.js';
import type { Affinities } from './affinities.js';
import type { CpuInterface } from './cpu-interface.js';
import { NOBODY } from './interrupts.js';
import type { Interrupts } from './interrupts.js';
import { LpiQueue, NO_PRIORITY } from './lpi-queue.js';

const AFFINITY_2_TO_0 = 0x00ff_ffff;
/** GICD_IROUTER.Interrupt_Routing_Mode, in its low word. */
const ONE_OF_N = 0x8000_0000;

export class Forwarding {
  /** GICD_CTLR.EnableGrp0 and EnableGrp1 */
  ctlr = 0;
  /** GICR_CTLR and GICR_WAKER of each CPU. */
  readonly gicrCtlr: Uint32Array;
  readonly waker: Uint8Array;
  readonly #interrupts: Interrupts;
  readonly #interfaces: readonly CpuInterface[];
  readonly #affinities: Affinities;
  readonly #queues: LpiQueue[];
  /** At cpu * nrWords + word: the interrupts that go to the CPU, and those of them that it could take. */
  readonly #targeted: Uint32Array;
  readonly #ready: Uint32Array;
  /** For each CPU, nrSummaries words in which bit w of word v is set while word v * 32 + w of its ready bitmap is not 0. */
  readonly #summary: Uint32Array;
  readonly #nrSummaries: number;
  /** For each CPU, all ones where its interrupts of that group are forwarded. */
  readonly #gate0: Uint32Array;
  readonly #gate1: Uint32Array;
  /** Shared interrupts with 1 of N routing, by their index in `targets`. */
  readonly #oneOfN = new Set<number>();
  /** The first of each CPU's ready interrupts, without LPIs: INTID, priority, group. */
  readonly #firstIntid: Uint16Array;
  readonly #firstPriority: Uint16Array;
  readonly #firstGroup: Uint8Array;

  constructor(interrupts: Interrupts, interfaces: readonly CpuInterface[], affinities: Affinities, waker: number) {
    const { nrCpus, nrWords } = interrupts;
    this.#interrupts = interrupts;
    this.#interfaces = interfaces;
    this.#affinities = affinities;
    this.gicrCtlr = new Uint32Array(nrCpus);
    this.waker = new Uint8Array(nrCpus).fill(waker);
    this.#queues = interfaces.map(() => new LpiQueue(0, () => -1));
    this.#targeted = new Uint32Array(nrCpus * nrWords);
    this.#ready = new Uint32Array(nrCpus * nrWords);
    this.#nrSummaries = Math.ceil(nrWords / 32);
    this.#summary = new Uint32Array(nrCpus * this.#nrSummaries);
    this.#gate0 = new Uint32Array(nrCpus);
    this.#gate1 = new Uint32Array(nrCpus);
    this.#firstIntid = new Uint16Array(nrCpus).fill(SPURIOUS);
    this.#firstPriority = new Uint16Array(nrCpus).fill(NO_PRIORITY);
    this.#firstGroup = new Uint8Array(nrCpus);
    this.rebuild();
  }

  /** The LPIs that `cpu` gets its next from. */
  setQueue(cpu: number, queue: LpiQueue): void {
    this.#queues[cpu] = queue;
    this.#offer(cpu);
  }

  /** Hot. The next of the CPU's LPIs is another. */
  lpisChanged(cpu: number): void {
    this.#offer(cpu);
  }

  /** The state of one interrupt has changed, as `cpu` sees it. Its target, group and priority have not. */
  changed(cpu: number, word: number, bit: number): void {
    const interrupts = this.#interrupts;
    const target = interrupts.isPrivate(word) ? cpu : interrupts.targets[interrupts.targetIndex(word) + bit];
    if (target !== NOBODY && this.#gather(target, word)) this.#select(target);
  }

  /** Anything but targets may have changed in `word` of `cpu`'s view. */
  wordChanged(cpu: number, word: number): void {
    if (this.#interrupts.isPrivate(word)) return this.#reselect(cpu, word);
    const { targets } = this.#interrupts;
    const first = this.#interrupts.targetIndex(word);
    let last = NOBODY;
    for (let i = first; i < first + 32; i++) {
      // The group says whom a 1 of N interrupt may go to.
      if (this.#oneOfN.has(i)) this.routeChanged(word, i - first);
      if (targets[i] === last || targets[i] === NOBODY) continue;
      last = targets[i];
      this.#reselect(last, word);
    }
  }

  /** The route of a shared interrupt has changed. */
  routeChanged(word: number, bit: number): void {
    const interrupts = this.#interrupts;
    const index = interrupts.targetIndex(word) + bit;
    if ((interrupts.routes[index * 2] & ONE_OF_N) !== 0) this.#oneOfN.add(index);
    else this.#oneOfN.delete(index);
    const before = interrupts.targets[index];
    const after = this.#resolve(index, interrupts.groupOf(interrupts.slot(0, word), bit));
    if (after === before) return;
    interrupts.targets[index] = after;
    if (before !== NOBODY) {
      this.#targeted[before * interrupts.nrWords + word] &= ~(1 << bit);
      this.#reselect(before, word);
    }
    if (after !== NOBODY) {
      this.#targeted[after * interrupts.nrWords + word] |= 1 << bit;
      this.#reselect(after, word);
    }
  }

  /** GICD_CTLR, or the CPU's GICR_CTLR, GICR_WAKER or group enables have changed. */
  enablesChanged(cpu: number): void {
    const { igrpen0, igrpen1 } = this.#interfaces[cpu];
    const awake = GICR_WAKER.ProcessorSleep(this.waker[cpu]) === 0;
    this.#gate0[cpu] = awake && GICD_CTLR.EnableGrp0(this.ctlr) === 1 && igrpen0 === 1 ? 0xffff_ffff : 0;
    this.#gate1[cpu] = awake && GICD_CTLR.EnableGrp1(this.ctlr) === 1 && igrpen1 === 1 ? 0xffff_ffff : 0;
    for (let word = 0; word < this.#interrupts.nrWords; word++) this.#gather(cpu, word);
    this.#select(cpu);
    for (const index of this.#oneOfN) this.routeChanged(this.#interrupts.nrPrivateWords + (index >>> 5), index & 31);
  }

  /** Everything may have changed. */
  rebuild(): void {
    const interrupts = this.#interrupts;
    this.#targeted.fill(0);
    this.#oneOfN.clear();
    for (let cpu = 0; cpu < this.#interfaces.length; cpu++)
      for (let word = 0; word < interrupts.nrPrivateWords; word++)
        this.#targeted[cpu * interrupts.nrWords + word] = 0xffff_ffff;
    interrupts.targets.fill(NOBODY);
    for (let cpu = 0; cpu < this.#interfaces.length; cpu++) this.enablesChanged(cpu);
    for (let word = interrupts.nrPrivateWords; word < interrupts.nrWords; word++)
      for (let bit = 0; bit < 32; bit++) this.routeChanged(word, bit);
  }

  // CHOICE: a 1 of N interrupt goes to the first CPU that is awake, has its group enabled and has not deselected itself by
  // GICR_CTLR.DPG*; sections 2.2.3 and 4.7.2 leave the choice open.
  #resolve(index: number, group: number): number {
    const lo = this.#interrupts.routes[index * 2];
    if ((lo & ONE_OF_N) === 0)
      return this.#affinities.cpuOf(this.#interrupts.routes[index * 2 + 1], lo & AFFINITY_2_TO_0);
    const gates = group === 0 ? this.#gate0 : this.#gate1;
    const deselected = group === 0 ? GICR_CTLR.DPG0 : GICR_CTLR.DPG1NS;
    return gates.findIndex((gate, cpu) => gate !== 0 && deselected(this.gicrCtlr[cpu]) === 0);
  }

  #reselect(cpu: number, word: number): void {
    this.#gather(cpu, word);
    this.#select(cpu);
  }

  // True where the ready bits of the word are other than before.
  #gather(cpu: number, word: number): boolean {
    const interrupts = this.#interrupts;
    const slot = interrupts.slot(cpu, word);
    const at = cpu * interrupts.nrWords + word;
    const group = interrupts.group[slot];
    const forwarded = (this.#gate0[cpu] & ~group) | (this.#gate1[cpu] & group);
    const ready =
      (interrupts.pending(slot) &
        interrupts.enabled[slot] &
        ~interrupts.active[slot] &
        this.#targeted[at] &
        forwarded) >>>
      0;
    if (ready === this.#ready[at]) return false;
    this.#ready[at] = ready;
    const summary = cpu * this.#nrSummaries + (word >>> 5);
    const bit = 1 << (word & 31);
    if (ready === 0) this.#summary[summary] &= ~bit;
    else this.#summary[summary] |= bit;
    return true;
  }

  // CHOICE: of equal priorities the lowest INTID goes first; section 4.8 leaves the order to the implementation.
  #select(cpu: number): void {
    const interrupts = this.#interrupts;
    const { priority } = interrupts;
    let best = SPURIOUS;
    let highest = NO_PRIORITY;
    let group = 0;
    for (let i = 0; i < this.#nrSummaries; i++)
      for (let words = this.#summary[cpu * this.#nrSummaries + i]; words !== 0; words &= words - 1) {
        const word = i * 32 + 31 - Math.clz32(words & -words);
        const slot = interrupts.slot(cpu, word);
        const firstIntid = interrupts.firstIntid(word);
        for (let bits = this.#ready[cpu * interrupts.nrWords + word]; bits !== 0; bits &= bits - 1) {
          const bit = 31 - Math.clz32(bits & -bits);
          const own = priority[slot * 32 + bit];
          // Extended PPIs have words before the SPIs' and yet greater INTIDs.
          if (own > highest || (own === highest && firstIntid + bit > best)) continue;
          highest = own;
          best = firstIntid + bit;
          group = interrupts.groupOf(slot, bit);
        }
      }
    this.#firstIntid[cpu] = best;
    this.#firstPriority[cpu] = highest;
    this.#firstGroup[cpu] = group;
    this.#offer(cpu);
  }

  // LPIs are of Group 1 and have the greatest INTIDs.
  #offer(cpu: number): void {
    const queue = this.#queues[cpu];
    const own = this.#interfaces[cpu];
    if (queue.priority < this.#firstPriority[cpu] && this.#gate1[cpu] !== 0)
      own.forward(queue.first, queue.priority, 1);
    else own.forward(this.#firstIntid[cpu], this.#firstPriority[cpu], this.#firstGroup[cpu]);
  }
}
