// SPDX-License-Identifier: Apache-2.0
// The enabled pending LPIs of one Redistributor, by priority and then by INTID. For each priority it knows the words of 32 pending
// bits in which there may be one, and looks into a word when it is the first: adding an LPI touches little memory however many
// there are, and no step looks at more words than were added. None allocates but the first LPI of a priority.

import { SPURIOUS } from '../regs.js';
import { BitTree } from './bit-tree.js';

/** Lower than every priority. */
export const NO_PRIORITY = 0x100;

/** LPIs have six bits of priority. */
const LEVELS = 64;

/** The least INTID of a word's 32 that is pending with that priority; -1 for none. */
export type FirstOfWord = (word: number, priority: number) => number;

export class LpiQueue {
  /** The next to be taken, SPURIOUS where there is none, and its priority. */
  first = SPURIOUS;
  priority = NO_PRIORITY;
  readonly #nrWords: number;
  readonly #firstOf: FirstOfWord;
  readonly #levels: (BitTree | undefined)[] = new Array<BitTree | undefined>(LEVELS).fill(undefined);
  /** The levels that are not empty. */
  readonly #occupied = new BitTree(LEVELS);

  /** `endIntid`: INTIDs are below it. */
  constructor(endIntid: number, firstOf: FirstOfWord) {
    this.#nrWords = endIntid / 32;
    this.#firstOf = firstOf;
  }

  /** Hot. Takes an LPI that is pending with that priority. True where it is the next now. */
  add(intid: number, priority: number): boolean {
    const level = this.#levels[priority >>> 2];
    if (level === undefined || !level.has(intid >>> 5)) this.#mark(intid >>> 5, priority >>> 2);
    if (priority > this.priority || (priority === this.priority && intid > this.first)) return false;
    this.first = intid;
    this.priority = priority;
    return true;
  }

  /** Finds the next anew, once LPIs are not pending any more or have another priority. */
  find(): void {
    for (;;) {
      const index = this.#occupied.first();
      if (index < 0) break;
      const level = this.#levels[index]!;
      const word = level.first();
      this.first = this.#firstOf(word, index << 2);
      this.priority = index << 2;
      if (this.first >= 0) return;
      level.delete(word);
      if (level.empty) this.#occupied.delete(index);
    }
    this.first = SPURIOUS;
    this.priority = NO_PRIORITY;
  }

  #mark(word: number, index: number): void {
    const level = (this.#levels[index] ??= new BitTree(this.#nrWords));
    level.add(word);
    this.#occupied.add(index);
  }

  clear(): void {
    for (const level of this.#levels) level?.clear();
    this.#occupied.clear();
    this.find();
  }
}
