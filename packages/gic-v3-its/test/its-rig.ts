// SPDX-License-Identifier: Apache-2.0
// An ITS model between toys: 1 MiB of RAM, redistributors that keep what they are told, and a command queue.

import { ItsModel, commands, regs } from '@irqkit/gic-v3-its';
import { physAddr } from '@irqkit/core';
import type {
  Dma,
  FirmwareNode,
  InterruptControllerModel,
  LpiSink,
  MmioModel,
  ModelLog,
  PhysAddr,
  Requester,
  Silicon,
} from '@irqkit/core';

export const RAM_BASE = 0x4000_0000;
export const RAM_BYTES = 0x10_0000;
/** What the rig gives the ITS: everything above POOL is for tables of devices. */
export const QUEUE = RAM_BASE;
export const QUEUE_BYTES = 0x1_0000;
export const DEVICE_TABLE = RAM_BASE + 0x1_0000;
export const COLLECTION_TABLE = RAM_BASE + 0x2_0000;
export const LEVEL2 = RAM_BASE + 0x3_0000;
export const CONFIG = RAM_BASE + 0x4_0000;
export const POOL = RAM_BASE + 0x5_0000;

export class ToyRam implements Dma {
  readonly bytes = new Uint8Array(RAM_BYTES);
  readonly view = new DataView(this.bytes.buffer);

  load(pa: PhysAddr, into: Uint8Array): boolean {
    const at = pa - RAM_BASE;
    if (at < 0 || at + into.length > RAM_BYTES) return false;
    for (let i = 0; i < into.length; i++) into[i] = this.bytes[at + i];
    return true;
  }

  store(pa: PhysAddr, from: Uint8Array): boolean {
    const at = pa - RAM_BASE;
    if (at < 0 || at + from.length > RAM_BYTES) return false;
    this.bytes.set(from, at);
    return true;
  }

  /** A little-endian doubleword. */
  read64(address: number): bigint {
    return this.view.getBigUint64(address - RAM_BASE, true);
  }

  write64(address: number, value: bigint): void {
    this.view.setBigUint64(address - RAM_BASE, value, true);
  }

  write8(address: number, value: number): void {
    this.bytes[address - RAM_BASE] = value;
  }
}

/** Redistributors by Processor_Number, or with PTA by their address >> 16: frames of 128 KiB from 0x80a0000. */
export class ToyRedistributors implements LpiSink {
  idBits = 16;
  readonly nr: number;
  readonly pending: Set<number>[];
  /** Every call, as text. */
  readonly calls: string[] = [];
  readonly #ram: ToyRam;
  readonly #config: Map<number, number>[];

  constructor(ram: ToyRam, nr = 4) {
    this.#ram = ram;
    this.nr = nr;
    this.pending = Array.from({ length: nr }, () => new Set<number>());
    this.#config = Array.from({ length: nr }, () => new Map<number, number>());
  }

  target(rdbase: number, pta: boolean): number {
    const index = pta ? (rdbase - 0x80a) / 2 : rdbase;
    return Number.isInteger(index) && index >= 0 && index < this.nr ? index : -1;
  }

  setPending(target: number, intid: number): void {
    this.calls.push(`set ${target} ${intid}`);
    this.pending[target].add(intid);
    this.#enabled(target, intid);
  }

  clearPending(target: number, intid: number): void {
    this.calls.push(`clear ${target} ${intid}`);
    this.pending[target].delete(intid);
  }

  invalidate(target: number, intid: number): void {
    this.calls.push(`inv ${target} ${intid}`);
    this.#config[target].delete(intid);
  }

  invalidateAll(target: number): void {
    this.calls.push(`invall ${target}`);
    this.#config[target].clear();
  }

  movePending(from: number, to: number, intid: number): void {
    this.calls.push(`move ${from} ${to} ${intid}`);
    if (this.pending[from].delete(intid)) this.pending[to].add(intid);
  }

  moveAllPending(from: number, to: number): void {
    this.calls.push(`moveall ${from} ${to}`);
    for (const intid of this.pending[from]) this.pending[to].add(intid);
    this.pending[from].clear();
  }

  /** The LPIs that a processor takes now: pending and enabled, by a configuration that is cached until it is invalidated. */
  take(target: number): number[] {
    const taken = [...this.pending[target]].filter((intid) => this.#enabled(target, intid)).sort((a, b) => a - b);
    for (const intid of taken) this.pending[target].delete(intid);
    return taken;
  }

  #enabled(target: number, intid: number): boolean {
    const cached = this.#config[target].get(intid) ?? this.#ram.bytes[CONFIG - RAM_BASE + intid - regs.FIRST_LPI];
    this.#config[target].set(intid, cached);
    return (cached & 1) === 1;
  }
}

export const CPU: Requester = { kind: 'cpu', cpu: 0, requesterId: -1, streamId: -1, deviceId: -1 };

export function device(deviceId: number): Requester {
  return { kind: 'device', cpu: -1, requesterId: deviceId, streamId: deviceId, deviceId };
}

/** Eight words of a command with the given field contents; RDbase fields are PE numbers or address >> 16. */
export function command(name: CommandName, fields: Readonly<Record<string, number>> = {}): Uint32Array {
  const layout: Readonly<Record<string, unknown>> = commands[name];
  const words = new Uint32Array(8);
  words[0] = commands[name].number;
  for (const [field, value] of Object.entries(fields)) {
    const put = layout[field] as { put(words: Uint32Array, value: number): void };
    put.put(words, field.startsWith('RDbase') ? value * 0x1_0000 : value);
  }
  return words;
}

export type CommandName = {
  [Name in keyof typeof commands]: (typeof commands)[Name] extends { readonly number: number } ? Name : never;
}[keyof typeof commands];

export interface RigOptions {
  readonly silicon?: Silicon;
  readonly ram?: ToyRam;
  readonly redistributors?: ToyRedistributors;
  readonly node?: Readonly<Record<string, readonly number[]>>;
}

/** A hostile guest is not to fill the test's memory. */
const MAX_GUEST_ERRORS = 1000;

export class ItsRig {
  readonly ram: ToyRam;
  readonly redistributors: ToyRedistributors;
  readonly model: ItsModel;
  readonly frame: MmioModel;
  readonly guestErrors: string[] = [];
  readonly unimplemented: string[] = [];

  constructor(options: RigOptions = {}) {
    this.ram = options.ram ?? new ToyRam();
    this.redistributors = options.redistributors ?? new ToyRedistributors(this.ram);
    const format = (text: string, args: readonly (number | string)[]): string => {
      let next = 0;
      return text.replace(/%[dxs]/g, (kind) => {
        const value = args[next++];
        return kind === '%x' ? value.toString(16) : String(value);
      });
    };
    const log: ModelLog = {
      guest: (text, ...args) => {
        if (this.guestErrors.length < MAX_GUEST_ERRORS) this.guestErrors.push(format(text, args));
      },
      unimp: (text, ...args) => void this.unimplemented.push(format(text, args)),
    };
    const node = {
      path: '/intc@8000000/its@8080000',
      u32s: (property: string) => options.node?.[property],
    } as unknown as FirmwareNode;
    const parent = { lpis: this.redistributors } as unknown as InterruptControllerModel;
    this.model = new ItsModel(node, options.silicon ?? {}, this.ram, parent, log);
    this.frame = this.model.frames[0];
  }

  read(offset: number): number {
    return this.frame.read(offset, 4, CPU);
  }

  write(offset: number, value: number): void {
    this.frame.write(offset, value, 4, CPU);
  }

  read64(offset: number): bigint {
    return (BigInt(this.read(offset + 4)) << 32n) | BigInt(this.read(offset));
  }

  write64(offset: number, value: bigint): void {
    this.frame.write64?.(offset, Number(value & 0xffff_ffffn), Number(value >> 32n), CPU);
  }

  /** Flat tables of 64 KiB, a queue of 64 KiB, enabled. */
  enable(): this {
    this.write64(0x100, (1n << 63n) | BigInt(DEVICE_TABLE) | 0x200n);
    this.write64(0x108, (1n << 63n) | BigInt(COLLECTION_TABLE) | 0x200n);
    this.write64(0x80, (1n << 63n) | BigInt(QUEUE) | BigInt(QUEUE_BYTES / 0x1000 - 1));
    this.write64(0x88, 0n);
    this.write(0, 1);
    return this;
  }

  /** Puts commands into the queue, without ringing. */
  queue(...list: readonly Uint32Array[]): number {
    let offset = Number(this.read64(0x88));
    for (const words of list) {
      words.forEach((word, i) => this.ram.view.setUint32(QUEUE - RAM_BASE + offset + i * 4, word, true));
      offset = (offset + 32) % QUEUE_BYTES;
    }
    return offset;
  }

  /** Runs commands; leaves GITS_CREADR at GITS_CWRITER unless the queue stalls. */
  send(...list: readonly Uint32Array[]): void {
    this.write(0x88, this.queue(...list));
  }

  /** What the redistributors were told since the last call. */
  calls(): string[] {
    return this.redistributors.calls.splice(0);
  }

  /** A device's MSI, and what came of it. */
  msi(deviceId: number, eventId: number): string[] {
    this.calls();
    this.frame.write(0x1_0040, eventId, 4, device(deviceId));
    return this.calls();
  }
}

/** An address of the pool, for an interrupt translation table. */
export function itt(n: number): number {
  return physAddr(POOL + n * 0x1000);
}
