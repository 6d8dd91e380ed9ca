// SPDX-License-Identifier: Apache-2.0
// What a device reaches at a bus address, seen from the device and from memory.

import { hex } from '@irqkit/bits';
import { expectSame, expectThat } from '../expect/expect.js';
import type { DmaDevice } from './rig/dma-device.js';
import type { Pages } from './rig/pages.js';

/** What devices write: no page's mark. */
const WRITTEN = Uint8Array.of(0xef, 0xbe, 0xad, 0xde);
const WRITTEN_WORD = 0xdead_beef;
const WORD_BYTES = 4;

/** The device reads page `page` at both ends of the page at `address`. @throws ConformanceError */
export function expectReads(device: DmaDevice, pages: Pages, address: number, page: number, when: string): void {
  for (const at of [address, address + pages.pageBytes - WORD_BYTES]) {
    const bytes = device.load(at, WORD_BYTES);
    expectThat(bytes !== undefined, () => `${when}: ${device.name} reading ${hex(at)} faults`);
    const seen = pages.pageOf(bytes);
    expectThat(
      seen === page,
      () => `${when}: ${device.name} reading ${hex(at)} reaches ${what(seen)}, not page ${page}`,
    );
  }
}

/** What the device writes to both ends of the page at `address` is in page `page`. @throws ConformanceError */
export function expectWrites(device: DmaDevice, pages: Pages, address: number, page: number, when: string): void {
  for (const at of [address, address + pages.pageBytes - WORD_BYTES])
    expectThat(device.store(at, WRITTEN), () => `${when}: ${device.name} writing ${hex(at)} faults`);
  const [first, last] = pages.marksAt(page);
  pages.mark(page);
  expectSame([first, last], [WRITTEN_WORD, WRITTEN_WORD], `${when}: page ${page}, written at ${hex(address)}`);
}

/** The device reads and writes page `page` at `address`. @throws ConformanceError */
export function expectReaches(device: DmaDevice, pages: Pages, address: number, page: number, when: string): void {
  expectReads(device, pages, address, page, when);
  expectWrites(device, pages, address, page, when);
}

/** The device reads nothing of `pages` at `address`. @throws ConformanceError */
export function expectNoRead(device: DmaDevice, pages: Pages, address: number, when: string): void {
  const bytes = device.load(address, WORD_BYTES);
  expectThat(
    bytes === undefined,
    () => `${when}: ${device.name} reading ${hex(address)} reaches ${what(bytes && pages.pageOf(bytes))}`,
  );
}

/** What the device writes to `address` is in none of `pages`. Returns whether anything took it. @throws ConformanceError */
export function expectUntouched(device: DmaDevice, pages: Pages, address: number, when: string): boolean {
  const answered = device.store(address, WRITTEN);
  for (let page = 0; page < pages.nr; page++) {
    const isHit = pages.marksAt(page).includes(WRITTEN_WORD);
    if (isHit) pages.mark(page);
    expectThat(!isHit, () => `${when}: ${device.name} writing ${hex(address)} reaches page ${page}`);
  }
  return answered;
}

/** What the device writes to `address` goes nowhere. @throws ConformanceError */
export function expectNoWrite(device: DmaDevice, pages: Pages, address: number, when: string): void {
  const answered = expectUntouched(device, pages, address, when);
  expectThat(!answered, () => `${when}: ${device.name} writing ${hex(address)} does not fault`);
}

/** The device reaches nothing at `address`. @throws ConformanceError */
export function expectNothing(device: DmaDevice, pages: Pages, address: number, when: string): void {
  expectNoRead(device, pages, address, when);
  expectNoWrite(device, pages, address, when);
}

const what = (page: number | undefined): string => (page === undefined ? 'something else' : `page ${page}`);
