// SPDX-License-Identifier: Apache-2.0

import { LinuxError } from '@irqkit/core';
import type {
  AccessSize,
  InterruptControllerModel,
  IrqLine,
  MmioModel,
  ModelContext,
  Requester,
  State,
} from '@irqkit/core';
import { ACK, ENABLE, END, FIRST_INPUT, LEVEL, NONE, NR_INTIDS, TARGET } from './regs.js';

const VERSION = 1;

/** What the model keeps for each INTID, one byte in each. */
const BANKS = ['enabled', 'targets', 'levels', 'pending', 'high', 'serving'] as const;

type Banks = Record<(typeof BANKS)[number], Uint8Array>;

export class PlainControllerModel implements InterruptControllerModel, MmioModel {
  readonly frames: readonly MmioModel[] = [this];
  readonly sink = {
    setPending: (intid: number): void => {
      if (isInput(intid)) this.#pend(intid);
    },
  };
  protected readonly path: string;
  readonly #cpuIrqs: readonly IrqLine[];
  readonly #banks = emptyBanks();

  constructor({ node, cpuIrqs }: ModelContext) {
    this.path = node.path;
    this.#cpuIrqs = cpuIrqs;
  }

  line(specifier: readonly number[]): IrqLine | undefined {
    const [kind, number] = specifier;
    const intid = FIRST_INPUT + number;
    if (specifier.length !== 3 || kind !== 0 || !isInput(intid)) return undefined;
    return {
      set: (level) => {
        const { high, levels } = this.#banks;
        const rises = level && high[intid] === 0;
        high[intid] = level ? 1 : 0;
        if (rises && levels[intid] === 0) this.#pend(intid);
        else this.signal();
      },
    };
  }

  read(offset: number, size: AccessSize, by: Requester): number {
    if (offset === ACK.offset && size === 4 && by.kind === 'cpu') return this.#acknowledge(by.cpu);
    return this.#cell(offset, (bank, intid) => bank[intid]) ?? 0;
  }

  write(offset: number, value: number): void {
    if (offset === END.offset && value < NR_INTIDS) this.#banks.serving[value] = 0;
    this.#cell(offset, (bank, intid) => (bank[intid] = value & 0xff));
    this.signal();
  }

  save(): State {
    return { version: VERSION, ...structuredClone(this.#banks) };
  }

  restore(state: State): void {
    this.checkState(state);
    for (const name of BANKS) this.#banks[name].set(state[name] as Uint8Array);
    this.signal();
  }

  /** @throws LinuxError EINVAL for a state of another version or shape. */
  protected checkState(state: State): void {
    const isBank = (bank: unknown) => bank instanceof Uint8Array && bank.length === NR_INTIDS;
    if (state.version !== VERSION || !BANKS.every((name) => isBank(state[name])))
      throw new LinuxError('EINVAL', `${this.path}: not a state of version ${VERSION}`);
  }

  /** The INTID that `cpu` would take now; NONE for none. */
  protected waiting(cpu: number): number {
    const { enabled, targets, levels, pending, high, serving } = this.#banks;
    for (let intid = FIRST_INPUT; intid < NR_INTIDS; intid++) {
      const raised = pending[intid] === 1 || (levels[intid] === 1 && high[intid] === 1);
      if (raised && enabled[intid] === 1 && serving[intid] === 0 && targets[intid] === cpu) return intid;
    }
    return NONE;
  }

  /** `cpu` takes an INTID that waits. */
  protected take(_cpu: number, intid: number): void {
    this.#banks.pending[intid] = 0;
    this.#banks.serving[intid] = 1;
  }

  /** Follows what waits. */
  protected signal(): void {
    this.#cpuIrqs.forEach((line, cpu) => line.set(this.waiting(cpu) !== NONE));
  }

  #pend(intid: number): void {
    this.#banks.pending[intid] = 1;
    this.signal();
  }

  #acknowledge(cpu: number): number {
    const intid = this.waiting(cpu);
    if (intid === NONE) return NONE;
    this.take(cpu, intid);
    this.signal();
    return intid;
  }

  #cell<T>(offset: number, work: (bank: Uint8Array, intid: number) => T): T | undefined {
    const { enabled, targets, levels } = this.#banks;
    for (const [{ offset: base }, bank] of [
      [ENABLE, enabled],
      [TARGET, targets],
      [LEVEL, levels],
    ] as const)
      if (isInput(offset - base)) return work(bank, offset - base);
    return undefined;
  }
}

function emptyBanks(): Banks {
  const bank = () => new Uint8Array(NR_INTIDS);
  return { enabled: bank(), targets: bank(), levels: bank(), pending: bank(), high: bank(), serving: bank() };
}

function isInput(intid: number): boolean {
  return intid >= FIRST_INPUT && intid < NR_INTIDS;
}
