// SPDX-License-Identifier: Apache-2.0
// Pages of the recorded machine's RAM at one moment: what processors stored there is in no other file.

import { CaptureError } from './capture-error.js';
import type { JsonRecord } from './json-lines.js';

export class RamSnapshot {
  /** Position in the capture's sequence. */
  readonly n: number;
  readonly #pageBytes: number;
  readonly #bytes: Uint8Array;
  /** Where in the bytes each page begins, by its address. */
  readonly #places: ReadonlyMap<number, number>;

  /** `pages`: physical addresses, in the order that `bytes` holds them. */
  constructor(n: number, pageBytes: number, pages: readonly number[], bytes: Uint8Array) {
    this.n = n;
    this.#pageBytes = pageBytes;
    this.#bytes = bytes;
    this.#places = new Map(pages.map((page, i) => [page, i * pageBytes]));
  }

  /** Every page and its address. */
  forEachPage(visit: (address: number, bytes: Uint8Array) => void): void {
    for (const [page, place] of this.#places) visit(page, this.#bytes.subarray(place, place + this.#pageBytes));
  }

  /** False where some of the range is in none of the pages. */
  load(pa: number, into: Uint8Array): boolean {
    for (let i = 0; i < into.length; i++) {
      const within = (pa + i) % this.#pageBytes;
      const place = this.#places.get(pa + i - within);
      if (place === undefined) return false;
      into[i] = this.#bytes[place + within];
    }
    return true;
  }
}

/** Reads `at_n`, `page_size` and `pages`; `unpack` gives the bytes where there are pages. @throws CaptureError */
export function snapshotIn(record: JsonRecord, unpack: () => Uint8Array): RamSnapshot {
  const listed = record.get('pages');
  const pages = Array.isArray(listed) ? listed.map(Number) : [NaN];
  if (!pages.every((page) => Number.isSafeInteger(page))) throw record.wrong('pages', 'a list of addresses');
  const pageBytes = record.integer('page_size');
  const bytes = pages.length > 0 ? unpack() : new Uint8Array(0);
  if (bytes.length !== pages.length * pageBytes)
    throw new CaptureError(record.place, `${pages.length} pages are listed, there are ${bytes.length} bytes of them`);
  return new RamSnapshot(record.integer('at_n'), pageBytes, pages, bytes);
}
