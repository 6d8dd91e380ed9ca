// SPDX-License-Identifier: Apache-2.0
// Which SPIs of a frame are taken. Multi-MSI puts the vector's number into the low bits of the data, so that a block must
// begin where the data has those bits clear. (Linux 6.1 aligns to the frame's first SPI, which need not have them clear.)

export class SpiBlocks {
  readonly #taken: Uint8Array;
  readonly #origin: number;

  /** `nrSpis` numbers from 0, of which the first stands for the data `origin`. */
  constructor(nrSpis: number, origin: number) {
    this.#taken = new Uint8Array(nrSpis);
    this.#origin = origin;
  }

  /**
   * The lowest free block of `nr` rounded up to a power of two, with none in it that `isWired`; -1 where there is none.
   */
  alloc(nr: number, isWired: (spi: number) => boolean): number {
    const size = blockSize(nr);
    const misaligned = this.#origin % size;
    for (let start = misaligned === 0 ? 0 : size - misaligned; start + size <= this.#taken.length; start += size) {
      if (this.#isTaken(start, size, isWired)) continue;
      this.#taken.fill(1, start, start + size);
      return start;
    }
    return -1;
  }

  /** Gives back what alloc(nr) took. */
  free(start: number, nr: number): void {
    this.#taken.fill(0, start, start + blockSize(nr));
  }

  #isTaken(start: number, size: number, isWired: (spi: number) => boolean): boolean {
    for (let i = start; i < start + size; i++) if (this.#taken[i] || isWired(i)) return true;
    return false;
  }
}

function blockSize(nr: number): number {
  let size = 1;
  while (size < nr) size *= 2;
  return size;
}
