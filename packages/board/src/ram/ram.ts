// SPDX-License-Identifier: Apache-2.0
// A board's RAM: the regions of the firmware's /memory nodes, little-endian.

import { alignDown } from '@irqkit/bits';
import type { Dma, ModelLog, PhysAddr, RamWindow, Region } from '@irqkit/core';
import { CHUNK_BYTES, chunkOf, PAGE_BYTES } from './chunk.js';
import { RamRegion } from './ram-region.js';

/** RAM as its owner sees it, beside what `Dma` says. */
export interface BoardRam extends Dma {
  load64(pa: PhysAddr, into: Uint32Array): boolean;
  window(pa: PhysAddr): RamWindow | undefined;
  /** Ascending, without overlaps. */
  readonly regions: readonly Region[];
  /** Bytes for which memory stands by now. */
  readonly committedBytes: number;
}

/** Pages that are not all zero: `bytes` holds them in the order of `pages`. */
export interface RamState {
  readonly pages: readonly number[];
  readonly bytes: Uint8Array;
}

const NO_WINDOW: RamWindow = { base: 0 as PhysAddr, words: new Uint32Array(0) };

export class Ram implements BoardRam {
  readonly regions: readonly RamRegion[];
  #committed = 0;
  /** What load64 read last; no words where there is none. */
  #window: RamWindow = NO_WINDOW;
  readonly #doubleword = new Uint8Array(8);
  readonly #limitBytes: number;
  readonly #log: ModelLog;

  /** Regions may touch and overlap, as Linux's memblock allows; empty ones, which boot loaders fill in, are left out. */
  constructor(memory: readonly Region[], limitBytes: number, log: ModelLog) {
    this.#limitBytes = limitBytes;
    this.#log = log;
    this.regions = merged(memory).map((region) => new RamRegion(region, this));
  }

  get committedBytes(): number {
    return this.#committed;
  }

  /** The budget of the regions. */
  take(bytes: number): boolean {
    if (this.#committed + bytes > this.#limitBytes) {
      this.#log.unimp('more than 0x%x bytes of RAM written, the limit of this board', this.#limitBytes);
      return false;
    }
    this.#committed += bytes;
    return true;
  }

  load(pa: PhysAddr, into: Uint8Array): boolean {
    const region = this.find(pa, into.length);
    if (region === undefined) return false;
    region.load(pa, into, 0, into.length);
    return true;
  }

  store(pa: PhysAddr, from: Uint8Array): boolean {
    return this.find(pa, from.length)?.store(pa, from, 0, from.length) ?? false;
  }

  /** Hot: how descriptors are read. */
  load64(pa: PhysAddr, into: Uint32Array): boolean {
    const { base, words } = this.#window;
    const offset = pa - base;
    const at = offset >>> 3;
    // False too for what is no multiple of 8, and for offsets that do not fit 32 bits.
    if (at * 8 !== offset || at * 2 >= words.length) return this.#load64(pa, into);
    into[0] = words[at * 2];
    into[1] = words[at * 2 + 1];
    return true;
  }

  window(pa: PhysAddr): RamWindow | undefined {
    return this.find(pa, 1)?.chunkAt(chunkOf(pa) * CHUNK_BYTES);
  }

  /** The region that holds all of a range. */
  find(pa: number, sizeBytes: number): RamRegion | undefined {
    const { regions } = this;
    for (let i = 0; i < regions.length; i++) {
      const region = regions[i];
      if (pa >= region.base && pa + sizeBytes <= region.end) return region;
    }
    return undefined;
  }

  #load64(pa: PhysAddr, into: Uint32Array): boolean {
    const region = pa % 8 === 0 ? this.find(pa, 8) : undefined;
    if (region === undefined) return false;
    const window = region.chunkAt(chunkOf(pa) * CHUNK_BYTES);
    if (window !== undefined) {
      this.#window = window;
      return this.load64(pa, into);
    }
    const bytes = this.#doubleword;
    region.load(pa, bytes, 0, 8);
    into[0] = bytes[0] + bytes[1] * 0x100 + bytes[2] * 0x1_0000 + bytes[3] * 0x100_0000;
    into[1] = bytes[4] + bytes[5] * 0x100 + bytes[6] * 0x1_0000 + bytes[7] * 0x100_0000;
    return true;
  }

  save(): RamState {
    const found: { pa: number; page: Uint8Array }[] = [];
    for (const region of this.regions) region.forEachPage((pa, page) => found.push({ pa, page }));
    const bytes = new Uint8Array(found.length * PAGE_BYTES);
    found.forEach(({ page }, i) => bytes.set(page, i * PAGE_BYTES));
    return { pages: found.map(({ pa }) => pa), bytes };
  }

  /** False where a page does not lie in RAM or no memory is left. Buffers keep showing RAM. */
  restore(state: RamState): boolean {
    for (const region of this.regions) region.clear();
    return state.pages.every((pa, i) => {
      const page = state.bytes.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES);
      return this.regions.some((region) => storePart(region, pa, page));
    });
  }
}

// Where a region does not begin or end on a page, its saved pages reach beyond it.
function storePart(region: RamRegion, pa: number, page: Uint8Array): boolean {
  const base = Math.max(pa, region.base);
  const end = Math.min(pa + page.length, region.end);
  return base < end && alignDown(pa, PAGE_BYTES) === pa && region.store(base, page, base - pa, end - base);
}

function merged(memory: readonly Region[]): Region[] {
  const regions: Region[] = [];
  for (const { base, sizeBytes } of [...memory].sort((a, b) => a.base - b.base)) {
    if (sizeBytes === 0) continue;
    const last = regions.at(-1);
    if (last === undefined || base > last.base + last.sizeBytes) regions.push({ base, sizeBytes });
    else {
      const end = Math.max(last.base + last.sizeBytes, base + sizeBytes);
      regions[regions.length - 1] = { base: last.base, sizeBytes: end - last.base };
    }
  }
  return regions;
}
