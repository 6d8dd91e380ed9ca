// SPDX-License-Identifier: Apache-2.0
// Software-generated interrupts by ICC_SGI0R_EL1, ICC_SGI1R_EL1 and ICC_ASGI1R_EL1. Arm IHI 0069 chapter 12, "Forwarding an SGI to a target PE".

import type { ModelLog } from '@irqkit/core';
import { ICC_SGI1R_EL1 } from '../regs.js';
import type { GicV3Parameters } from '../silicon.js';
import type { Affinities } from './affinities.js';
import type { Forwarding } from './forwarding.js';
import { NOBODY } from './interrupts.js';
import type { Interrupts } from './interrupts.js';

export class Sgis {
  readonly #interrupts: Interrupts;
  readonly #forwarding: Forwarding;
  readonly #affinities: Affinities;
  readonly #parameters: GicV3Parameters;
  readonly #log: ModelLog;
  readonly #words = new Uint32Array(2);

  constructor(
    interrupts: Interrupts,
    forwarding: Forwarding,
    affinities: Affinities,
    parameters: GicV3Parameters,
    log: ModelLog,
  ) {
    this.#interrupts = interrupts;
    this.#forwarding = forwarding;
    this.#affinities = affinities;
    this.#parameters = parameters;
    this.#log = log;
  }

  /** What `cpu` wrote to a register for SGIs of `group`. */
  send(cpu: number, group: number, lo: number, hi: number): void {
    const words = this.#words;
    words[0] = lo;
    words[1] = hi;
    const sgi = ICC_SGI1R_EL1.INTID(words);
    if (ICC_SGI1R_EL1.IRM(words) === 1) {
      for (let other = 0; other < this.#interrupts.nrCpus; other++) if (other !== cpu) this.#raise(other, sgi, group);
      return;
    }
    let rangeSelector = ICC_SGI1R_EL1.RS(words);
    // CHOICE: RS counts as 0 where the Distributor has no range selector.
    if (rangeSelector !== 0 && !this.#parameters.rangeSelector) {
      this.#log.guest('ICC_SGI1R_EL1.RS is %d without GICD_TYPER.RSS', rangeSelector);
      rangeSelector = 0;
    }
    const cluster = ICC_SGI1R_EL1.Aff2(words) * 0x100 + ICC_SGI1R_EL1.Aff1(words);
    const targets = this.#affinities.targets(ICC_SGI1R_EL1.Aff3(words), cluster, rangeSelector);
    if (!targets) return;
    for (let list = ICC_SGI1R_EL1.TargetList(words); list !== 0; list &= list - 1) {
      const target = targets[31 - Math.clz32(list & -list)];
      if (target !== NOBODY) this.#raise(target, sgi, group);
    }
  }

  // With one Security state an SGI reaches those who have it in the group it is sent for.
  #raise(cpu: number, sgi: number, group: number): void {
    const slot = this.#interrupts.slot(cpu, 0);
    if (this.#interrupts.groupOf(slot, sgi) !== group) return;
    this.#interrupts.latched[slot] |= 1 << sgi;
    this.#forwarding.changed(cpu, 0, sgi);
  }
}
