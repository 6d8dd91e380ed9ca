// SPDX-License-Identifier: Apache-2.0
// The wires into a GICv3. Several may share one input; it is asserted while any of them is.

import type { IrqLine } from '@irqkit/core';
import type { Forwarding } from './forwarding.js';
import { NO_WORD } from './interrupts.js';
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

  /** A new wire to an input that exists: one CPU's where it is a PPI. */
  connect(intid: number, cpu: number): IrqLine {
    const id = this.#nrLines++;
    const word = this.#interrupts.wordOf(intid);
    return { set: (level) => this.#changes(id, level) && this.#drive(cpu, word, intid & 31, level) };
  }

  /** A new wire to the inputs of a PPI of every CPU. */
  connectAll(intid: number): IrqLine {
    const id = this.#nrLines++;
    const word = this.#interrupts.wordOf(intid);
    return {
      set: (level) => {
        if (!this.#changes(id, level)) return;
        for (let cpu = 0; cpu < this.#interrupts.nrCpus; cpu++) this.#drive(cpu, word, intid & 31, level);
      },
    };
  }

  /** One edge on the input of an SPI. A level-sensitive input keeps nothing of it. */
  pulse(intid: number): void {
    const interrupts = this.#interrupts;
    const word = interrupts.wordOf(intid);
    if (word === NO_WORD || interrupts.isPrivate(word)) return;
    const slot = interrupts.slot(0, word);
    const bit = (1 << (intid & 31)) & interrupts.edge[slot];
    if (bit === 0) return;
    interrupts.latched[slot] |= bit;
    this.#forwarding.changed(0, word, intid & 31);
  }

  save(): InputState {
    return { levels: [...this.#levels], asserted: this.#asserted.slice() };
  }

  restore(state: InputState): void {
    this.#levels = [...state.levels];
    this.#asserted.set(state.asserted);
  }

  #changes(id: number, level: boolean): boolean {
    if ((this.#levels[id] ?? false) === level) return false;
    while (this.#levels.length < id) this.#levels.push(false);
    this.#levels[id] = level;
    return true;
  }

  #drive(cpu: number, word: number, bit: number, level: boolean): void {
    const interrupts = this.#interrupts;
    const slot = interrupts.slot(cpu, word);
    const index = slot * 32 + bit;
    const before = this.#asserted[index];
    this.#asserted[index] = level ? before + 1 : before - 1;
    if ((before === 0) === (this.#asserted[index] === 0)) return;
    const mask = 1 << bit;
    if (level) {
      interrupts.input[slot] |= mask;
      interrupts.latched[slot] |= mask & interrupts.edge[slot];
    } else interrupts.input[slot] &= ~mask;
    this.#forwarding.changed(cpu, word, bit);
  }
}
