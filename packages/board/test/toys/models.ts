// SPDX-License-Identifier: Apache-2.0
// Toy hardware. `toy,intc` raises CPU lines, `toy,dev` drives a wire and does DMA, `toy,regs` keeps bytes and records.

import { definePlugin, LinuxError } from '@irqkit/core';
import type {
  AccessSize,
  DmaPort,
  InterruptControllerModel,
  IommuModel,
  IrqLine,
  MmioModel,
  Model,
  ModelContext,
  Plugin,
  Requester,
  State,
} from '@irqkit/core';

/** 256 bytes of registers; remembers who accessed what. */
export class Regs implements Model, MmioModel {
  readonly bytes = new Uint8Array(0x100);
  readonly seen: { op: string; offset: number; size: number; value: number; by: Requester }[] = [];
  readonly frames: readonly MmioModel[] = [this];
  disposed = 0;

  constructor(readonly context: ModelContext) {}

  read(offset: number, size: AccessSize, by: Requester): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 0x100 + (this.bytes[offset + i] ?? 0);
    this.seen.push({ op: 'read', offset, size, value, by });
    return value;
  }

  write(offset: number, value: number, size: AccessSize, by: Requester): void {
    for (let i = 0; i < size; i++) this.bytes[offset + i] = value >>> (8 * i);
    this.seen.push({ op: 'write', offset, size, value, by });
  }

  save(): State {
    return { version: 1, bytes: this.bytes.slice() };
  }

  restore(state: State): void {
    if (state.version !== 1) throw new LinuxError('EINVAL', `${this.context.node.path}: state ${state.version}`);
    this.bytes.set(state['bytes'] as Uint8Array);
  }

  dispose(): void {
    this.disposed++;
  }
}

/** INTID n goes to CPU n % count. ACK at 0 answers for the accessing CPU and lowers its line; SET at 4 is a doorbell. */
export class Intc implements InterruptControllerModel, MmioModel {
  readonly frames: readonly MmioModel[] = [this];
  readonly pending = new Set<number>();
  readonly doorbell: { value: number; by: Requester }[] = [];
  readonly levels = new Map<number, boolean>();
  readonly sink = { setPending: (intid: number) => this.#raise(intid) };
  readonly scratch = new Uint32Array(8);

  constructor(readonly context: ModelContext) {}

  line(specifier: readonly number[]): IrqLine | undefined {
    const [intid] = specifier;
    return intid < 32 ? { set: (level) => this.#input(intid, level) } : undefined;
  }

  read(offset: number, _size: AccessSize, by: Requester): number {
    if (offset === 8) return this.scratch[by.cpu];
    if (offset !== 0) return 0;
    const mine = [...this.pending].filter((intid) => this.#target(intid) === by.cpu).sort((a, b) => a - b);
    if (mine.length === 0) return 1023;
    this.pending.delete(mine[0]);
    if (mine.length === 1) this.context.cpuIrqs[by.cpu].set(false);
    return mine[0];
  }

  write(offset: number, value: number, _size: AccessSize, by: Requester): void {
    if (offset === 8) this.scratch[by.cpu] = value;
    if (offset !== 4) return;
    this.doorbell.push({ value, by });
    this.#raise(value);
  }

  save(): State {
    return { version: 1, pending: [...this.pending], levels: [...this.levels] };
  }

  restore(state: State): void {
    this.pending.clear();
    for (const intid of state['pending'] as number[]) this.pending.add(intid);
    for (const [intid, level] of state['levels'] as [number, boolean][]) this.levels.set(intid, level);
    for (const intid of this.pending) this.context.cpuIrqs[this.#target(intid)].set(true);
  }

  #input(intid: number, level: boolean): void {
    this.levels.set(intid, level);
    if (level) this.#raise(intid);
  }

  #raise(intid: number): void {
    if (intid >= 1020) return;
    this.pending.add(intid);
    this.context.cpuIrqs[this.#target(intid)].set(true);
  }

  #target(intid: number): number {
    return intid % this.context.cpuIrqs.length;
  }
}

/**
 * LEVEL at 0 drives the first interrupt. ADDRESS at 4, DATA at 8, and a write of a requester id to GO at 12 writes them
 * as an MSI; RESULT at 12 reads whether it arrived.
 */
export class Dev implements Model, MmioModel {
  readonly frames: readonly MmioModel[] = [this];
  #address = 0;
  #data = 0;
  #result = 0;

  constructor(readonly context: ModelContext) {}

  port(requesterId: number, substreamId?: number): DmaPort {
    return this.context.ports.port(requesterId, substreamId);
  }

  read(offset: number): number {
    return offset === 12 ? this.#result : 0;
  }

  write(offset: number, value: number): void {
    if (offset === 0) this.context.interrupts[0].set(value !== 0);
    if (offset === 4) this.#address = value;
    if (offset === 8) this.#data = value;
    if (offset === 12) this.#result = this.port(value).write32(this.#address, this.#data) ? 1 : 0;
  }

  save(): State {
    return { version: 1, address: this.#address, data: this.#data, result: this.#result };
  }

  restore(state: State): void {
    this.#address = state['address'] as number;
    this.#data = state['data'] as number;
    this.#result = state['result'] as number;
  }
}

/** Pages by StreamID; a fault is remembered and drives its own interrupt. */
export class Iommu implements IommuModel {
  readonly frames: readonly MmioModel[] = [];
  readonly faults: { streamId: number; address: number; write: boolean }[] = [];
  readonly calls: number[] = [];
  readonly #pages = new Map<string, number>();

  constructor(readonly context: ModelContext) {}

  map(streamId: number, page: number, pa: number, writable = true): void {
    this.#pages.set(`${streamId}:${page}:false`, pa);
    if (writable) this.#pages.set(`${streamId}:${page}:true`, pa);
  }

  translate(by: Requester, address: number, write: boolean): number {
    this.calls.push(address);
    const offset = address % 0x1000;
    const pa = this.#pages.get(`${by.streamId}:${address - offset}:${write}`);
    if (pa !== undefined) return pa + offset;
    this.faults.push({ streamId: by.streamId, address, write });
    this.context.interrupts[0]?.set(true);
    return -1;
  }

  save(): State {
    return { version: 1 };
  }

  restore(): void {}
}

export const toys: Plugin = definePlugin({
  name: 'toys',
  coreApi: 1,
  models: [
    { compatible: ['toy,intc'], useFactory: (context) => new Intc(context) },
    { compatible: ['toy,dev'], useFactory: (context) => new Dev(context) },
    { compatible: ['toy,regs'], silicon: { ID: 7, REV: 1 }, useFactory: (context) => new Regs(context) },
    { compatible: ['toy,iommu'], useFactory: (context) => new Iommu(context) },
  ],
});
