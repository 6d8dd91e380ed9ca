// SPDX-License-Identifier: Apache-2.0
// Dirty pages of mappings, as user space reads them. Every IOMMU here lets devices write unseen, so that all pages of a
// mapping are reported dirty, whoever wrote. Source: the behaviour of Linux 6.1 update_user_bitmap.

import { alignUp } from '@irqkit/bits';
import type { AddressSpace } from '../process/address-space.js';
import type { IovaSpan } from './dma-list.js';

/** @linux DIRTY_BITMAP_PAGES_MAX */
export const MAX_DIRTY_PAGES = 2 ** 31 - 1;

/** @linux DIRTY_BITMAP_SIZE_MAX */
export const MAX_DIRTY_BITMAP_BYTES = bitmapBytes(MAX_DIRTY_PAGES);

/** Whole 64-bit words. @linux DIRTY_BITMAP_BYTES */
export function bitmapBytes(nrPages: number): number {
  return alignUp(nrPages, 64) / 8;
}

/** A bitmap in user memory: one bit for each page from `iova` on. */
export interface UserBitmap {
  readonly vaddr: number;
  readonly iova: number;
  readonly pageBytes: number;
}

/**
 * Sets the mapping's bits. Bits of the first word below them stay, those of the last word above them are cleared.
 * @throws LinuxError EFAULT
 */
export function reportDirty(mm: AddressSpace, { vaddr, iova, pageBytes }: UserBitmap, dma: IovaSpan): void {
  const firstBit = (dma.iova - iova) / pageBytes;
  const shift = firstBit % 64;
  const nrBits = shift + dma.sizeBytes / pageBytes;
  const words = new Uint8Array(bitmapBytes(nrBits));
  const at = vaddr + ((firstBit - shift) / 64) * 8;
  if (shift > 0) {
    mm.read(at, words.subarray(0, 8));
    clearFrom(words, shift, 64);
  }
  const wholeBytes = Math.floor(nrBits / 8);
  const firstWhole = Math.ceil(shift / 8);
  for (let bit = shift; bit < Math.min(nrBits, firstWhole * 8); bit++) words[bit >>> 3] |= 1 << (bit & 7);
  if (wholeBytes > firstWhole) words.fill(0xff, firstWhole, wholeBytes);
  for (let bit = Math.max(shift, wholeBytes * 8); bit < nrBits; bit++) words[bit >>> 3] |= 1 << (bit & 7);
  mm.write(at, words);
}

function clearFrom(words: Uint8Array, firstBit: number, endBit: number): void {
  for (let bit = firstBit; bit < endBit; bit++) words[bit >>> 3] &= ~(1 << (bit & 7));
}
