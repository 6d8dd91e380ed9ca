// SPDX-License-Identifier: Apache-2.0
// A queue in memory: its base, and the indexes with their wrap bits. Arm IHI 0070, sections 3.5.1 and 6.3.26 to 6.3.29.

import { alignDown } from '@irqkit/bits';
import { CMDQ_BASE } from '../regs.js';

const INDEX_MASK = 0xf_ffff;
/** Bit 62: RA of the command queue, WA of the others. */
const HINT_HIGH = 0x4000_0000;

export class QueueRegisters {
  /** Two words, as written. */
  readonly base = new Uint32Array(2);
  /** WR and RD, no wider than the queue's size makes them. */
  #prod = 0;
  #cons = 0;
  #log2Size = 0;
  #address = 0;
  readonly #maxLog2Size: number;
  readonly #entryBytes: number;

  constructor(maxLog2Size: number, entryBytes: number) {
    this.#maxLog2Size = Math.min(maxLog2Size, 19);
    this.#entryBytes = entryBytes;
  }

  setBase(lo: number, hi: number): void {
    const words = Uint32Array.of(lo, hi);
    this.base.fill(0);
    CMDQ_BASE.ADDR.put(this.base, CMDQ_BASE.ADDR(words));
    CMDQ_BASE.LOG2SIZE.put(this.base, CMDQ_BASE.LOG2SIZE(words));
    this.base[1] |= hi & HINT_HIGH;
    this.#log2Size = Math.min(CMDQ_BASE.LOG2SIZE(words), this.#maxLog2Size);
    this.#address = alignDown(CMDQ_BASE.ADDR(words), Math.max(32, this.#entryBytes * 2 ** this.#log2Size));
    this.prod = this.#prod;
    this.cons = this.#cons;
  }

  get prod(): number {
    return this.#prod;
  }

  set prod(value: number) {
    this.#prod = value & this.#wrapMask;
  }

  get cons(): number {
    return this.#cons;
  }

  set cons(value: number) {
    this.#cons = value & this.#wrapMask;
  }

  get isEmpty(): boolean {
    return this.#prod === this.#cons;
  }

  get isFull(): boolean {
    return (this.#prod ^ this.#cons) === 2 ** this.#log2Size;
  }

  /** Where the entry of an index is. */
  addressOf(index: number): number {
    return this.#address + (index % 2 ** this.#log2Size) * this.#entryBytes;
  }

  /** The index after `index`, with its wrap bit. */
  next(index: number): number {
    return (index + 1) & this.#wrapMask;
  }

  get #wrapMask(): number {
    return (2 ** (this.#log2Size + 1) - 1) & INDEX_MASK;
  }
}
