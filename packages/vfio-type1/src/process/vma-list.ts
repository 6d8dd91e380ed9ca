// SPDX-License-Identifier: Apache-2.0
// Mapped ranges of an address space, ascending. Source: the behaviour of Linux 6.1 struct vm_area_struct.

import { alignUp } from '@irqkit/bits';
import type { Piece } from './physical-memory.js';

/** Addresses from `start` up to, without, `end`; memory of `piece` from `offset` on. */
export interface Vma {
  start: number;
  end: number;
  read: boolean;
  write: boolean;
  readonly piece: Piece;
  offset: number;
}

export class VmaList {
  readonly #vmas: Vma[] = [];

  at(vaddr: number): Vma | undefined {
    const vma = this.#vmas.at(this.#firstEndingAfter(vaddr));
    return vma && vma.start <= vaddr && vaddr < vma.end ? vma : undefined;
  }

  overlaps(start: number, sizeBytes: number): boolean {
    const at = this.#firstEndingAfter(start);
    return at < this.#vmas.length && this.#vmas[at].start < start + sizeBytes;
  }

  /** It overlaps none. */
  insert(vma: Vma): void {
    this.#vmas.splice(this.#firstEndingAfter(vma.start), 0, vma);
  }

  remove(vma: Vma): void {
    this.#vmas.splice(this.#firstEndingAfter(vma.start), 1);
  }

  /** Takes all of them out. */
  clear(): Vma[] {
    return this.#vmas.splice(0);
  }

  /** Splits at both ends. @returns what lies inside */
  cut(start: number, sizeBytes: number): Vma[] {
    this.#splitAt(start);
    this.#splitAt(start + sizeBytes);
    const from = this.#firstEndingAfter(start);
    let to = from;
    while (to < this.#vmas.length && this.#vmas[to].start < start + sizeBytes) to++;
    return this.#vmas.slice(from, to);
  }

  /** The lowest free place from `lowest` on. */
  findFree(sizeBytes: number, align: number, lowest: number): number {
    let at = alignUp(lowest, align);
    for (const { start, end } of this.#vmas) {
      if (start >= at + sizeBytes) break;
      if (end > at) at = alignUp(end, align);
    }
    return at;
  }

  #splitAt(vaddr: number): void {
    const vma = this.at(vaddr);
    if (!vma || vma.start === vaddr) return;
    const upper: Vma = { ...vma, start: vaddr, offset: vma.offset + (vaddr - vma.start) };
    vma.end = vaddr;
    upper.piece.get();
    this.insert(upper);
  }

  /** The index of the first that ends above `vaddr`. */
  #firstEndingAfter(vaddr: number): number {
    let [low, high] = [0, this.#vmas.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#vmas[middle].end > vaddr) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
