// SPDX-License-Identifier: Apache-2.0
// The wires into a GICv2. Several may share one input; it is asserted while any of them is.

import type { IrqLine } from '@irqkit/core';
import type { Forwarding } from './forwarding.js';
import type { Interrupts } from './interrupts.js';

/** The levels of the wires in the order they were connected, and how many assert each input. */
export interface InputState {
  readonly levels: readonly boolean[];
  readonly asserted: Uint16Array;
}

export class InputLines {
  readonly #interrupts: Interrupts;
  readonly #forwarding: Forwarding;
  /** Wires that assert each input, by the index of its byte-wide attributes. */
  readonly #asserted: Uint16Array;
  #levels: boolean[] = [];
  #nrLines = 0;

  constructor(interrupts: Interrupts, forwarding: Forwarding) {
    this.#interrupts = interrupts;
    this.#forwarding = forwarding;
    this.#asserted = new Uint16Array(interrupts.priority.length);
  }

  /** A new wire to the input of `intid`, on each of `cpus` (a bit mask) where it is a PPI. */
  connect(intid: number, cpus: number): IrqLine {
    const id = this.#nrLines++;
    return {
      set: (level) => {
        if ((this.#levels[id] ?? false) === level) return;
        while (this.#levels.length < id) this.#levels.push(false);
        this.#levels[id] = level;
        for (let cpu = 0; cpu < this.#interrupts.nrCpus; cpu++) if ((cpus >>> cpu) & 1) this.#drive(cpu, intid, level);
      },
    };
  }

  /** One edge on the input of an SPI. A level-sensitive input keeps nothing of it. */
  pulse(intid: number): void {
    const interrupts = this.#interrupts;
    const slot = interrupts.slot(0, intid >>> 5);
    const bit = (1 << (intid & 31)) & interrupts.edge[slot];
    if (bit === 0) return;
    interrupts.latched[slot] |= bit;
    this.#forwarding.changed(0, intid);
  }

  save(): InputState {
    return { levels: [...this.#levels], asserted: this.#asserted.slice() };
  }

  restore(state: InputState): void {
    this.#levels = [...state.levels];
    this.#asserted.set(state.asserted);
  }

  #drive(cpu: number, intid: number, level: boolean): void {
    const interrupts = this.#interrupts;
    const index = interrupts.index(cpu, intid);
    const before = this.#asserted[index];
    this.#asserted[index] = level ? before + 1 : before - 1;
    if ((before === 0) === (this.#asserted[index] === 0)) return;
    const slot = index >>> 5;
    const bit = 1 << (intid & 31);
    if (level) {
      interrupts.input[slot] |= bit;
      interrupts.latched[slot] |= bit & interrupts.edge[slot];
    } else interrupts.input[slot] &= ~bit;
    this.#forwarding.changed(cpu, intid);
  }
}
