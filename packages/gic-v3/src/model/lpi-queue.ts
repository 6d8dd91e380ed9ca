// SPDX-License-Identifier: Apache-2.0
// The enabled pending LPIs of one Redistributor, by priority and then by INTID. No step looks at other LPIs, and none allocates
// but the first LPI of a priority.

import { SPURIOUS } from '../regs.js';
import { BitTree } from './bit-tree.js';

/** Lower than every priority. */
export const NO_PRIORITY = 0x100;

/** LPIs have six bits of priority. */
const LEVELS = 64;

export class LpiQueue {
  /** The next to be taken, SPURIOUS where there is none, and its priority. */
  first = SPURIOUS;
  priority = NO_PRIORITY;
  readonly #endIntid: number;
  readonly #levels: (BitTree | undefined)[] = new Array<BitTree | undefined>(LEVELS).fill(undefined);
  /** The levels that are not empty. */
  readonly #occupied = new BitTree(LEVELS);

  /** `endIntid`: INTIDs are below it. */
  constructor(endIntid: number) {
    this.#endIntid = endIntid;
  }

  /** True where it is the next now. */
  add(intid: number, priority: number): boolean {
    const index = priority >>> 2;
    const level = (this.#levels[index] ??= new BitTree(this.#endIntid));
    if (level.empty) this.#occupied.add(index);
    level.add(intid);
    if (priority > this.priority || (priority === this.priority && intid > this.first)) return false;
    this.first = intid;
    this.priority = priority;
    return true;
  }

  /** True where another is the next now. */
  delete(intid: number, priority: number): boolean {
    const index = priority >>> 2;
    const level = this.#levels[index];
    if (!level) return false;
    level.delete(intid);
    if (level.empty) this.#occupied.delete(index);
    if (intid !== this.first) return false;
    this.#find();
    return true;
  }

  clear(): void {
    for (const level of this.#levels) level?.clear();
    this.#occupied.clear();
    this.#find();
  }

  #find(): void {
    const index = this.#occupied.first();
    this.first = index < 0 ? SPURIOUS : this.#levels[index]!.first();
    this.priority = index < 0 ? NO_PRIORITY : index << 2;
  }
}
