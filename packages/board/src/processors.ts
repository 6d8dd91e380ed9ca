// SPDX-License-Identifier: Apache-2.0
// The processors of a board: whose code runs, how deep accesses nest, and the IRQ inputs that are delivered when the
// outermost access has ended.

import { LinuxError } from '@irqkit/core';
import type { CpuPort, Doorbell, IrqLine, Requester, SystemRegisters } from '@irqkit/core';

/** Deeper accesses are refused: a device that writes to itself in a circle must not exhaust the stack. */
const MAX_DEPTH = 16;

/** The IRQ inputs, by processor: true where asserted. */
export interface IrqInputState {
  readonly asserted: readonly boolean[];
}

export class Processors implements CpuPort {
  readonly count: number;
  readonly mpidr: readonly number[];
  /** The IRQ input of each. */
  readonly lines: readonly IrqLine[];
  /** Who makes the accesses of each. */
  readonly requesters: readonly Requester[];
  /** Set once the board's models stand, where one of them has some. */
  sysregs: SystemRegisters | undefined = undefined;
  /** While true, the inputs carry nothing. */
  muted = false;
  #current = 0;
  #depth = 0;
  #asserted: boolean[];
  #latched: boolean[];
  #nrLatched = 0;
  #delivering = false;
  #callbacks: readonly ((cpu: number) => void)[] = [];

  /** A board whose firmware lists no processor still has the one that accesses it. */
  constructor(mpidr: readonly number[]) {
    this.mpidr = mpidr.length > 0 ? [...mpidr] : [0];
    this.count = this.mpidr.length;
    this.lines = this.mpidr.map((_, cpu) => ({ set: (level: boolean) => this.#set(cpu, level) }));
    this.requesters = this.mpidr.map((_, cpu) =>
      Object.freeze({ kind: 'cpu', cpu, requesterId: -1, streamId: -1, substreamId: undefined, deviceId: -1 }),
    );
    this.#asserted = this.mpidr.map(() => false);
    this.#latched = this.mpidr.map(() => false);
  }

  get current(): number {
    return this.#current;
  }

  /** Who accesses now. */
  get requester(): Requester {
    return this.requesters[this.#current];
  }

  runOn<T>(cpu: number, work: () => T): T {
    this.check(cpu);
    const former = this.#current;
    this.#current = cpu;
    try {
      return work();
    } finally {
      this.#current = former;
    }
  }

  irqAsserted(cpu: number): boolean {
    this.check(cpu);
    return this.#asserted[cpu];
  }

  onIrq(callback: (cpu: number) => void): () => void {
    const own = (cpu: number) => callback(cpu);
    this.#callbacks = [...this.#callbacks, own];
    return () => {
      this.#callbacks = this.#callbacks.filter((other) => other !== own);
    };
  }

  /** @throws LinuxError EINVAL where there is no such processor. */
  check(cpu: number): void {
    if (this.requesters[cpu] === undefined)
      throw new LinuxError('EINVAL', `/cpus: no processor ${cpu} among ${this.count}`);
  }

  /** True inside an access. */
  get busy(): boolean {
    return this.#depth > 0;
  }

  /** False where accesses nest too deeply for one more. */
  get admits(): boolean {
    return this.#depth !== MAX_DEPTH;
  }

  /** Begins an access; `leave` must follow. False, with nothing begun, where accesses nest too deeply. */
  enter(): boolean {
    if (!this.admits) return false;
    this.#depth++;
    return true;
  }

  /** Ends an access, and delivers what it raised where it was the outermost one. */
  leave(): void {
    if (--this.#depth === 0 && this.#nrLatched > 0) this.#deliver();
  }

  /** Hot. One access that does no more than ring a doorbell. False, with nothing done, where accesses nest too deeply. */
  ring(doorbell: Doorbell, deviceId: number, data: number): boolean {
    if (!this.enter()) return false;
    try {
      doorbell.signal(deviceId, data);
      return true;
    } finally {
      this.leave();
    }
  }

  /** Delivers what a restored state brought. */
  deliverLatched(): void {
    if (this.#nrLatched > 0) this.#deliver();
  }

  save(): IrqInputState {
    return { asserted: [...this.#asserted] };
  }

  /** Latches what is asserted: a host that was not there before has yet to hear of it. `deliverLatched` tells it. */
  restore(state: IrqInputState): void {
    this.#asserted = [...state.asserted];
    this.#latched = [...state.asserted];
    this.#nrLatched = state.asserted.filter((asserted) => asserted).length;
  }

  // The input is level-sensitive: one that falls again before it is taken leaves nothing to take.
  #set(cpu: number, level: boolean): void {
    if (this.muted || this.#asserted[cpu] === level) return;
    this.#asserted[cpu] = level;
    if (this.#latched[cpu] !== level) this.#latch(cpu, level);
    if (level && this.#depth === 0) this.#deliver();
  }

  #latch(cpu: number, latched: boolean): void {
    this.#latched[cpu] = latched;
    this.#nrLatched += latched ? 1 : -1;
  }

  // What a callback raises is delivered by the loop that called it, so handlers never nest.
  #deliver(): void {
    if (this.#delivering || this.#callbacks.length === 0) return;
    this.#delivering = true;
    try {
      while (this.#nrLatched > 0) {
        const cpu = this.#latched.indexOf(true);
        this.#latch(cpu, false);
        const callbacks = this.#callbacks;
        for (let i = 0; i < callbacks.length; i++) callbacks[i](cpu);
      }
    } finally {
      this.#delivering = false;
    }
  }
}
