// SPDX-License-Identifier: Apache-2.0
// Software and devices that do anything at all.

import type { AccessSize, Requester } from '@irqkit/core';
import { thrownBy } from '../expect/expect.js';
import type { Rig } from '../rig/rig.js';
import { framesOf, perform } from './model-under-test.js';
import type { Access, Frame } from './model-under-test.js';
import type { Xorshift } from './xorshift.js';

const SIZES: readonly AccessSize[] = [1, 2, 4];
const WIDTHS = [...SIZES, 8] as const;

/** `nr` accesses of any kind, by anyone, anywhere in the model's frames. @throws ConformanceError as `perform` */
export function accessAnywhere(rig: Rig, random: Xorshift, nr: number): void {
  const frames = framesOf(rig);
  for (let i = 0; i < nr; i++) perform(anyAccess(frames, random), anyone(rig, random));
}

/** The same for checks of something else: that a model throws is told by the check made for it. */
export function stir(rig: Rig, random: Xorshift, nr: number): void {
  const frames = framesOf(rig);
  for (let i = 0; i < nr; i++) thrownBy(() => perform(anyAccess(frames, random), anyone(rig, random)));
}

// Larger ones are left to random accesses.
const SWEPT_BYTES = 0x2_0000;

/** Reads and writes at every offset of every frame, with every size. @throws ConformanceError as `perform` */
export function accessEverywhere(rig: Rig, random: Xorshift): void {
  for (const frame of framesOf(rig))
    for (const size of SIZES)
      for (let offset = 0; offset + size <= Math.min(frame.sizeBytes, SWEPT_BYTES); offset++) {
        const by = anyone(rig, random);
        perform({ frame, offset, size }, by);
        perform({ frame, offset, size, value: random.value() }, by);
        perform({ frame, offset, size }, by);
      }
}

function anyAccess(frames: readonly Frame[], random: Xorshift): Access {
  const frame = random.pick(frames);
  const size = random.pick(WIDTHS.filter((width) => width <= frame.sizeBytes));
  const offset = anyOffset(frame, size, random);
  const value = size === 8 || random.below(2) === 0 ? random.value() : undefined;
  return { frame, offset, size, value };
}

// Half of them aligned, as software mostly is.
function anyOffset(frame: Frame, size: number, random: Xorshift): number {
  const offset = random.below(frame.sizeBytes - size + 1);
  return random.below(2) === 0 ? offset : offset - (offset % size);
}

function anyone(rig: Rig, random: Xorshift): Requester {
  if (random.below(4) > 0)
    return { kind: 'cpu', cpu: random.below(rig.bus.cpus.count), requesterId: -1, streamId: -1, deviceId: -1 };
  const id = random.below(0x1_0000);
  return { kind: 'device', cpu: -1, requesterId: id, streamId: id, deviceId: random.pick([id, -1]) };
}
