// SPDX-License-Identifier: Apache-2.0
// What answers at a physical address: ranges in ascending order, found by binary search.

import { hex } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { MmioModel, Region } from '@irqkit/core';
import type { RamRegion } from '../ram/ram-region.js';

/** Who remembers what it found here. */
export interface Rememberer {
  forget(): void;
}

/** A range and what answers it. */
export interface Target {
  readonly owner: string;
  readonly start: number;
  /** Becomes `start` when the board is disposed, so that no latch still hits. */
  end: number;
  readonly frame: MmioModel;
  /** Present where bytes can be copied in bulk. */
  readonly ram: RamRegion | undefined;
}

export class AddressSpace {
  #targets: Target[] = [];
  readonly #rememberers: Rememberer[] = [];

  /** @throws LinuxError EEXIST where a byte of it is taken; the message names both owners. */
  add(owner: string, region: Region, frame: MmioModel, ram?: RamRegion): void {
    if (region.sizeBytes === 0) return;
    const start = region.base;
    const end = start + region.sizeBytes;
    const at = this.#lastFrom(start) + 1;
    const other = [this.#targets[at - 1], this.#targets[at]].find((t) => t && t.start < end && start < t.end);
    if (other)
      throw new LinuxError(
        'EEXIST',
        `${owner}: ${range(start, end)} overlaps ${range(other.start, other.end)} of ${other.owner}`,
      );
    this.#targets.splice(at, 0, { owner, start, end, frame, ram });
  }

  find(pa: number): Target | undefined {
    const target = this.#targets[this.#lastFrom(pa)];
    return target !== undefined && pa < target.end ? target : undefined;
  }

  /** True where something answers each byte of `region`. */
  covers(region: Region): boolean {
    const end = region.base + region.sizeBytes;
    let pa: number = region.base;
    while (pa < end) {
      const target = this.find(pa);
      if (target === undefined) return false;
      pa = target.end;
    }
    return pa > region.base;
  }

  /** Tells `rememberer` from now on when models are other than they were. */
  tell(rememberer: Rememberer): void {
    this.#rememberers.push(rememberer);
  }

  /** Models have been restored, or are about to go. */
  forget(): void {
    for (const each of this.#rememberers) each.forget();
  }

  clear(): void {
    for (const target of this.#targets) target.end = target.start;
    this.#targets = [];
    this.forget();
  }

  // The index of the last target that starts at or below `pa`; -1 where there is none.
  #lastFrom(pa: number): number {
    let low = 0;
    let high = this.#targets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#targets[middle].start <= pa) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function range(start: number, end: number): string {
  return `[${hex(start)}, ${hex(end)})`;
}
