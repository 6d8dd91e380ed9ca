// SPDX-License-Identifier: Apache-2.0
// A container's mappings by IOVA: finding, adding and removing one touches a bounded run of neighbours and one entry for
// each such run, whatever the number of mappings.

/** Ranges that never overlap. */
export interface IovaSpan {
  readonly iova: number;
  readonly sizeBytes: number;
}

const CHUNK = 256;

export class DmaList<T extends IovaSpan> {
  /** Ascending, none empty. */
  readonly #chunks: T[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The lowest that shares a byte with the range. @linux vfio_find_dma, vfio_find_dma_first_node */
  find(iova: number, sizeBytes: number): T | undefined {
    const [chunkAt, at] = this.#locate(iova);
    const entry = chunkAt < this.#chunks.length ? this.#chunks[chunkAt][at] : undefined;
    return entry && entry.iova < iova + sizeBytes ? entry : undefined;
  }

  /** All that share a byte with the range, ascending. */
  within(iova: number, sizeBytes: number): T[] {
    const found: T[] = [];
    let [chunkAt, at] = this.#locate(iova);
    for (; chunkAt < this.#chunks.length; chunkAt++, at = 0)
      for (const chunk = this.#chunks[chunkAt]; at < chunk.length; at++) {
        if (chunk[at].iova >= iova + sizeBytes) return found;
        found.push(chunk[at]);
      }
    return found;
  }

  /** It overlaps none. */
  add(entry: T): void {
    this.#size++;
    if (this.#chunks.length === 0) {
      this.#chunks.push([entry]);
      return;
    }
    const chunkAt = Math.max(0, lowerBound(this.#chunks, (chunk) => chunk[0].iova > entry.iova) - 1);
    const chunk = this.#chunks[chunkAt];
    chunk.splice(
      lowerBound(chunk, (other) => other.iova > entry.iova),
      0,
      entry,
    );
    if (chunk.length > CHUNK) this.#chunks.splice(chunkAt + 1, 0, chunk.splice(CHUNK / 2));
  }

  /** It is in the list. */
  remove(entry: T): void {
    const chunkAt = lowerBound(this.#chunks, (chunk) => chunk[chunk.length - 1].iova >= entry.iova);
    const chunk = this.#chunks[chunkAt];
    chunk.splice(
      lowerBound(chunk, (other) => other.iova >= entry.iova),
      1,
    );
    if (chunk.length === 0) this.#chunks.splice(chunkAt, 1);
    this.#size--;
  }

  /** Ascending. */
  get all(): readonly T[] {
    return this.#chunks.flat();
  }

  /** Where the first is that ends above `iova`. */
  #locate(iova: number): [chunkAt: number, at: number] {
    const chunkAt = lowerBound(this.#chunks, (chunk) => endOf(chunk[chunk.length - 1]) > iova);
    if (chunkAt === this.#chunks.length) return [chunkAt, 0];
    return [chunkAt, lowerBound(this.#chunks[chunkAt], (entry) => endOf(entry) > iova)];
  }
}

function endOf({ iova, sizeBytes }: IovaSpan): number {
  return iova + sizeBytes;
}

/** The first index for which `holds`, in an array where it holds from some index on. */
function lowerBound<E>(entries: readonly E[], holds: (entry: E) => boolean): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(entries[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}
