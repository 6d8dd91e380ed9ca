// SPDX-License-Identifier: Apache-2.0
// Which SPIs of an MBI range are taken. Multi-MSI puts the vector's number into the low bits of the data, which is the INTID, so
// that a block must begin at a multiple of its size. (Linux 6.1 aligns to the range's first SPI.)

export class SpiBlocks {
  readonly #firstSpi: number;
  readonly #taken: Uint8Array;

  constructor(firstSpi: number, nrSpis: number) {
    this.#firstSpi = firstSpi;
    this.#taken = new Uint8Array(nrSpis);
  }

  /** The INTID of the lowest free block of `nr` rounded up to a power of two; -1 where there is none. */
  alloc(nr: number): number {
    const size = blockSize(nr);
    const misaligned = this.#firstSpi % size;
    for (let start = misaligned === 0 ? 0 : size - misaligned; start + size <= this.#taken.length; start += size) {
      if (this.#taken.subarray(start, start + size).includes(1)) continue;
      this.#taken.fill(1, start, start + size);
      return this.#firstSpi + start;
    }
    return -1;
  }

  /** Gives back what alloc(nr) took. */
  free(intid: number, nr: number): void {
    const start = intid - this.#firstSpi;
    this.#taken.fill(0, start, start + blockSize(nr));
  }
}

function blockSize(nr: number): number {
  return 2 ** Math.ceil(Math.log2(nr));
}
