// SPDX-License-Identifier: Apache-2.0
// A rig's model under test and its frames, with their sizes.

import type { AccessSize, MmioModel, Model } from '@irqkit/core';
import { hex } from '@irqkit/bits';
import { ConformanceError } from '../expect/conformance-error.js';
import { expectThat } from '../expect/expect.js';
import type { Rig } from '../rig/rig.js';

export interface Frame {
  readonly label: string;
  readonly sizeBytes: number;
  readonly model: MmioModel;
}

export function modelOf(rig: Rig): Model {
  const model = rig.board.models.get(rig.machine.path);
  expectThat(model !== undefined, () => `${rig.machine.path}: no plugin models it`);
  return model;
}

/** Those that answer `reg` entries, then the windows. @throws ConformanceError where there is none */
export function framesOf(rig: Rig): readonly Frame[] {
  const { frames, windows = [] } = modelOf(rig);
  const { regs } = rig.node;
  const all = [
    ...frames.slice(0, regs.length).map((model, i) => ({ label: `frame ${i}`, sizeBytes: regs[i].sizeBytes, model })),
    ...windows.map(({ region, model }, i) => ({ label: `window ${i}`, sizeBytes: region.sizeBytes, model })),
  ];
  expectThat(all.length > 0, () => `${rig.machine.path}: its model has no frame`);
  return all;
}

export interface Access {
  readonly frame: Frame;
  readonly offset: number;
  readonly size: AccessSize | 8;
  /** What is written; a read where there is none. */
  readonly value?: number;
}

/** A write of 8 bytes has its value in both words. @throws ConformanceError where the model throws or answers no number */
export function perform({ frame, offset, size, value }: Access, by: Parameters<MmioModel['read']>[2]): void {
  try {
    const { model } = frame;
    if (size === 8) model.write64?.(offset, value ?? 0, value ?? 0, by);
    else if (value !== undefined) model.write(offset, value, size, by);
    else if (!Number.isInteger(model.read(offset, size, by))) throw new TypeError('the answer is no integer');
  } catch (error) {
    const what = value === undefined ? 'read' : `write of ${hex(value)}`;
    throw new ConformanceError(`${frame.label}: a ${size}-byte ${what} at ${hex(offset)}: ${String(error)}`, {
      cause: error,
    });
  }
}
