// SPDX-License-Identifier: Apache-2.0
// One region of Redistributors: their frames one after the other.

import type { AccessSize, MmioModel } from '@irqkit/core';
import { GICR_FRAME_BYTES } from '../regs.js';
import type { RedistributorFrame } from './redistributor-frame.js';

export class RedistributorRegion implements MmioModel {
  readonly #frames: readonly RedistributorFrame[];
  readonly #stride: number;

  constructor(frames: readonly RedistributorFrame[], stride: number) {
    this.#frames = frames;
    this.#stride = stride;
  }

  read(offset: number, size: AccessSize): number {
    return this.#at(offset)?.read(offset % this.#stride, size) ?? 0;
  }

  write(offset: number, value: number, size: AccessSize): void {
    this.#at(offset)?.write(offset % this.#stride, value, size);
  }

  #at(offset: number): RedistributorFrame | undefined {
    return offset % this.#stride < 2 * GICR_FRAME_BYTES ? this.#frames[Math.floor(offset / this.#stride)] : undefined;
  }
}
