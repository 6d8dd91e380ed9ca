// SPDX-License-Identifier: Apache-2.0
// Waiting for hardware, but not for ever. Linux 6.1 polls for a second.

import type { Field } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { MmioRegion } from '@irqkit/core';

const MAX_POLLS = 100_000;

/** Reads a register until `bit` of it is `value`. @throws LinuxError ETIMEDOUT @linux gic_do_wait_for_rwp */
export function waitFor(path: string, frame: MmioRegion, offset: number, bit: Field, value: number): void {
  for (let polls = 0; polls < MAX_POLLS; polls++) if (bit(frame.read(offset, 4)) === value) return;
  throw new LinuxError('ETIMEDOUT', `${path}: the register at ${frame.at(offset).toString(16)} does not settle`);
}
