// SPDX-License-Identifier: Apache-2.0
// One SMMUv3 on a board: its registers, its RAM, and the accesses of devices behind it.

import { LinuxError, physAddr } from '@irqkit/core';
import type { Board } from '@irqkit/board';
import { SmmuV3Model, layouts, regs } from '@irqkit/smmu-v3';

const { EVENTQ_BASE, EVENTQ_CONS, EVENTQ_PROD } = regs;
const { EVENT } = layouts;

const NO_SUBSTREAM = -1;

/** The number behind two words, exact below 2^53. */
export function addressOf([lo, hi]: readonly [lo: number, hi: number]): number {
  return hi * 2 ** 32 + lo;
}

export class SmmuUnit {
  readonly board: Board;
  readonly model: SmmuV3Model;
  readonly #base: number;

  /** `base`: of its registers. @throws LinuxError ENODEV where no model stands for the node */
  constructor(board: Board, path: string, base: number) {
    const model = board.models.get(path);
    if (!(model instanceof SmmuV3Model)) throw new LinuxError('ENODEV', `${path}: nothing models an SMMUv3 here`);
    this.board = board;
    this.model = model;
    this.#base = base;
  }

  read(offset: number): number {
    return this.board.access.read(physAddr(this.#base + offset), 4, 0);
  }

  /** The two words of a 64-bit register. */
  readPair(offset: number): Uint32Array {
    return Uint32Array.of(this.read(offset), this.read(offset + 4));
  }

  write(offset: number, value: number): void {
    this.board.access.write(physAddr(this.#base + offset), value, 4, 0);
  }

  writePair(offset: number, lo: number, hi: number): void {
    this.board.access.write64(physAddr(this.#base + offset), lo, hi, 0);
  }

  store(address: number, { buffer, byteOffset, byteLength }: Uint32Array | Uint8Array): void {
    this.board.ram.store(physAddr(address), new Uint8Array(buffer, byteOffset, byteLength));
  }

  /** Words of RAM; undefined where there is none. */
  load(address: number, sizeBytes: number): Uint32Array | undefined {
    const words = new Uint32Array(sizeBytes / 4);
    return this.board.ram.load(physAddr(address), new Uint8Array(words.buffer)) ? words : undefined;
  }

  /** Where an access of a stream goes; negative where it faults. */
  translate(streamId: number, [lo, hi]: readonly [lo: number, hi: number], write: boolean): number {
    return this.model.translateWords(streamId, NO_SUBSTREAM, hi | 0, lo | 0, write);
  }

  /** What an address lets through: `rw`, `r`, `w` or nothing. Asks both, and faults for what is missing. */
  permission(streamId: number, address: readonly [lo: number, hi: number]): string {
    return (['r', 'w'] as const).filter((one) => this.translate(streamId, address, one === 'w') >= 0).join('');
  }

  /** How many event records were written, as EVENTQ_PROD counts them. */
  get eventProd(): number {
    return EVENTQ_PROD.WR(this.read(EVENTQ_PROD.offset));
  }

  /** Where the record is that EVENTQ_PROD counted as `index`. */
  eventAddress(index: number): number {
    const base = this.readPair(EVENTQ_BASE.offset);
    return EVENTQ_BASE.ADDR(base) + (index % 2 ** EVENTQ_BASE.LOG2SIZE(base)) * EVENT.bytes;
  }

  /** The next record that software has not taken, and takes it. */
  takeEvent(): Uint32Array | undefined {
    const taken = EVENTQ_CONS.RD(this.read(EVENTQ_CONS.offset));
    if (taken === this.eventProd) return undefined;
    const wrap = 2 ** (EVENTQ_BASE.LOG2SIZE(this.readPair(EVENTQ_BASE.offset)) + 1);
    const record = this.load(this.eventAddress(taken), EVENT.bytes);
    this.write(EVENTQ_CONS.offset, (taken + 1) % wrap);
    return record;
  }
}
