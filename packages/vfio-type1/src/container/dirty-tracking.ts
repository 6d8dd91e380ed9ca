// SPDX-License-Identifier: Apache-2.0
// Whether a container tracks dirty pages, and what of it that rules out. Source: the behaviour of Linux 6.1
// vfio_dma_bitmap_alloc, verify_bitmap_size.

import { hex } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import { MAX_DIRTY_BITMAP_BYTES, MAX_DIRTY_PAGES, bitmapBytes } from './dirty-bitmap.js';
import type { IovaSpan } from './dma-list.js';
import type { DirtyBitmap } from './type1-requests.js';

export class DirtyTracking {
  #started = false;

  /** @throws LinuxError EINVAL for a mapping that is too large */
  start(mappings: readonly IovaSpan[], pageBytes: number): void {
    for (const mapping of mappings) refuseTooLarge(mapping, pageBytes);
    this.#started = true;
  }

  stop(): void {
    this.#started = false;
  }

  /** @throws LinuxError EINVAL for a mapping that is too large while pages are tracked */
  checkTrackable(mapping: IovaSpan, pageBytes: number): void {
    if (this.#started) refuseTooLarge(mapping, pageBytes);
  }

  /** @throws LinuxError EINVAL where pages are not tracked, or it is no bitmap for that many bytes in pages of that size */
  checkBitmap(bitmap: DirtyBitmap, rangeBytes: number, pageBytes: number): void {
    if (!this.#started) throw new LinuxError('EINVAL', '/dev/vfio/vfio: dirty pages are not tracked');
    const { sizeBytes } = bitmap;
    const fits = sizeBytes <= MAX_DIRTY_BITMAP_BYTES && sizeBytes >= bitmapBytes(rangeBytes / pageBytes);
    if (bitmap.pageBytes !== pageBytes || !fits)
      throw new LinuxError('EINVAL', `/dev/vfio/vfio: ${sizeBytes} bytes are no bitmap of ${hex(rangeBytes)} bytes`);
  }
}

function refuseTooLarge({ sizeBytes }: IovaSpan, pageBytes: number): void {
  if (sizeBytes / pageBytes > MAX_DIRTY_PAGES)
    throw new LinuxError('EINVAL', `/dev/vfio/vfio: ${hex(sizeBytes)} bytes are too many to track`);
}
