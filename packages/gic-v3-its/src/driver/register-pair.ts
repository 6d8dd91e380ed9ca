// SPDX-License-Identifier: Apache-2.0
// 64-bit registers as two words, low then high: the form in which regs.ts declares their fields.

import type { MmioRegion } from '@irqkit/core';

export function readPair(registers: MmioRegion, offset: number): Uint32Array {
  return Uint32Array.of(registers.read(offset, 4), registers.read(offset + 4, 4));
}

export function writePair(registers: MmioRegion, offset: number, [lo, hi]: Uint32Array): void {
  registers.write64(offset, lo, hi);
}
