// SPDX-License-Identifier: Apache-2.0

import { LinuxError } from '@irqkit/core';
import type { AccessSize, LpiSink, MmioModel, ModelContext, RedistributorsModel, Requester, State } from '@irqkit/core';
import { PlainControllerModel } from '../model.js';
import { NONE } from '../regs.js';
import { FRAME_BYTES, ID_BITS } from './regs.js';
import { Redistributor } from './redistributor.js';
import type { RedistributorState } from './redistributor.js';

export class PlainLpiControllerModel extends PlainControllerModel implements RedistributorsModel {
  readonly lpis: LpiSink;
  override readonly frames: readonly MmioModel[];
  readonly #redistributors: readonly Redistributor[];

  constructor(context: ModelContext) {
    super(context);
    const { base } = context.node.reg(1);
    const redistributors = context.cpuIrqs.map(() => new Redistributor(context.dma, () => this.signal()));
    this.#redistributors = redistributors;
    this.lpis = lpiSink(redistributors, base / FRAME_BYTES);
    this.frames = [this, framesOf(redistributors)];
  }

  override save(): State {
    return { ...super.save(), redistributors: this.#redistributors.map((redistributor) => redistributor.save()) };
  }

  override restore(state: State): void {
    const { redistributors } = state;
    if (!Array.isArray(redistributors) || redistributors.length !== this.#redistributors.length)
      throw new LinuxError('EINVAL', `${this.path}: not the state of ${this.#redistributors.length} redistributors`);
    this.checkState(state);
    this.#redistributors.forEach((own, cpu) => own.restore(redistributors[cpu] as RedistributorState));
    super.restore(state);
  }

  protected override waiting(cpu: number): number {
    const input = super.waiting(cpu);
    return input === NONE ? (this.#redistributors[cpu].waiting ?? NONE) : input;
  }

  protected override take(cpu: number, intid: number): void {
    const redistributor = this.#redistributors[cpu];
    if (redistributor.isPending(intid)) redistributor.clearPending(intid);
    else super.take(cpu, intid);
  }
}

/** One after another in a single `reg` entry. */
function framesOf(redistributors: readonly Redistributor[]): MmioModel {
  const at = (offset: number) => redistributors[Math.floor(offset / FRAME_BYTES)] as Redistributor | undefined;
  return {
    read: (offset: number, size: AccessSize) => at(offset)?.read(offset % FRAME_BYTES, size) ?? 0,
    write: (offset: number, value: number, size: AccessSize, _by: Requester) =>
      at(offset)?.write(offset % FRAME_BYTES, value, size),
  };
}

/** `firstFrame`: the address of the first redistributor, in frames. */
function lpiSink(redistributors: readonly Redistributor[], firstFrame: number): LpiSink {
  const at = (target: number) => redistributors[target] as Redistributor | undefined;
  const move = (from: number, to: number, intid: number): void => {
    if (from === to || !at(from)?.isPending(intid)) return;
    at(from)?.clearPending(intid);
    at(to)?.setPending(intid);
  };
  return {
    get idBits() {
      return Math.min(ID_BITS, ...redistributors.map(({ idBits }) => idBits));
    },
    target(rdbase, pta) {
      const target = pta ? rdbase - firstFrame : rdbase;
      return target in redistributors ? target : -1;
    },
    setPending: (target, intid) => at(target)?.setPending(intid),
    clearPending: (target, intid) => at(target)?.clearPending(intid),
    invalidate: (target, intid) => at(target)?.invalidate(intid),
    invalidateAll: (target) => at(target)?.invalidateAll(),
    movePending: move,
    moveAllPending(from, to) {
      for (const intid of at(from)?.allPending ?? []) move(from, to, intid);
    },
  };
}
