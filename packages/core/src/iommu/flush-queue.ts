// SPDX-License-Identifier: Apache-2.0
// Lazy invalidation: IOVAs that were unmapped wait until one invalidation of everything, and only then are used again.
// Source: the behaviour of Linux 6.1, queue_iova and fq_flush_iotlb (drivers/iommu/dma-iommu.c).

import type { Iova } from '../contracts/address.js';

/** How many IOVAs wait at most. @linux IOVA_FQ_SIZE */
const FLUSH_QUEUE_SIZE = 256;

export class FlushQueue {
  readonly #flushIotlbAll: () => void;
  readonly #release: (iova: Iova) => void;
  #waiting: Iova[] = [];

  /** `release` is called for each IOVA once `flushIotlbAll` has returned. */
  constructor(flushIotlbAll: () => void, release: (iova: Iova) => void) {
    this.#flushIotlbAll = flushIotlbAll;
    this.#release = release;
  }

  /** How many IOVAs wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Flushes first where it is full. @linux queue_iova */
  add(iova: Iova): void {
    if (this.#waiting.length === FLUSH_QUEUE_SIZE) this.flush();
    this.#waiting.push(iova);
  }

  /** What Linux's timer does 10 ms after an entry; core has no clock, so the owner calls it. @linux fq_flush_timeout */
  flush(): void {
    if (this.#waiting.length === 0) return;
    this.#flushIotlbAll();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const iova of waiting) this.#release(iova);
  }
}
