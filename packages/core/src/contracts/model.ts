// SPDX-License-Identifier: Apache-2.0
// What a model implements and what it is given: register frames towards the bus, memory and wires behind it.
// A model never throws at software: it does what the specification says silicon does, and tells the log.

import type { PhysAddr } from './address.js';
import type { AccessSize, Region } from './bus.js';

/**
 * Who makes an access. An id that does not apply is -1: a processor has no requesterId, a device no cpu, a device whose
 * ids firmware maps to no IOMMU or MSI controller no streamId or deviceId.
 */
export interface Requester {
  readonly kind: 'cpu' | 'device';
  readonly cpu: number;
  /** PCI requester id (bus << 8 | device << 3 | function), or the id a platform device has on its bus. */
  readonly requesterId: number;
  readonly streamId: number;
  /** The PASID of the access; missing where it has none. */
  readonly substreamId?: number;
  readonly deviceId: number;
}

/** A register that devices write to raise message-signalled interrupts. */
export interface Doorbell {
  /** Hot. What a 32-bit write of `data` does by a device that the interrupt controller knows as `deviceId`. */
  signal(deviceId: number, data: number): void;
  /** Hot. True where `signal` would do nothing, as the interrupt is pending already; false where that is not known. */
  isPending(deviceId: number, data: number): boolean;
}

/** One register frame. `offset` is within the frame; a frame answers every offset and size, at worst RAZ/WI. */
export interface MmioModel {
  read(offset: number, size: AccessSize, by: Requester): number;
  write(offset: number, value: number, size: AccessSize, by: Requester): void;
  /** Left out where a 64-bit store means the same as its low then its high word. */
  write64?(offset: number, lo: number, hi: number, by: Requester): void;
  /**
   * The doorbell at `offset`, undefined where there is none: it does what `write` does there with 4 bytes of a device, now and
   * as long as the model lives. A bus may keep it with a device's route. Left out where the frame has none of this shape.
   */
  doorbellAt?(offset: number): Doorbell | undefined;
}

/** A model's saved state: structured-cloneable data and the version of its layout. */
export interface State {
  readonly version: number;
  readonly [key: string]: unknown;
}

/** The hardware behind one firmware node. */
export interface Model {
  /** The frame at i answers the node's i-th `reg` entry; missing ones are left to nobody. */
  readonly frames: readonly MmioModel[];
  /** Ranges answered beyond `reg`, such as a PCI host bridge's memory windows. */
  readonly windows?: readonly { readonly region: Region; readonly model: MmioModel }[];
  save(): State;
  /** @throws LinuxError EINVAL for a state of another version or shape. */
  restore(state: State): void;
  /** Lets go of what it holds outside the board, when the board goes or is not completed: last built, first disposed. */
  dispose?(): void;
}

/** A level on a wire. */
export interface IrqLine {
  set(level: boolean): void;
}

/** Where a message-signalled interrupt enters an interrupt controller. */
export interface IrqSink {
  /** One edge on the input of `intid`; unknown ids are ignored. */
  setPending(intid: number): void;
}

/** A model that other nodes' interrupts are wired to. */
export interface InterruptControllerModel extends Model {
  readonly sink: IrqSink;
  /** The input that an `interrupts` specifier names; undefined where it names none. */
  line(specifier: readonly number[]): IrqLine | undefined;
  /** Where the processors reach it by system registers: the ICC_* of a GICv3. */
  readonly systemRegisters?: SystemRegistersModel;
}

/** System registers of every processor, as `CpuPort.sysregs` numbers them. */
export interface SystemRegistersModel {
  /** The low word of a 64-bit register. Registers it does not have read as zero. */
  read(cpu: number, register: number): number;
  write(cpu: number, register: number, lo: number, hi: number): void;
}

/**
 * A shape of LPI state that is read without a call: the bit of an INTID and a target is bit INTID % 32 of the word at
 * target << shift | INTID >> 5, where INTID >> 5 is below 1 << shift. Where it is set the LPI is pending, and setPending does
 * nothing; where it is not, or the index is outside, only setPending knows. Bits of INTIDs below 8192 are never set.
 */
export interface LpiPendingBits {
  /** Another array, and another shift, once more room is needed; no bit is left set in the former one. */
  readonly words: Uint32Array;
  readonly shift: number;
}

/**
 * LPI state of one set of redistributors, as an ITS reaches it. A target is a redistributor's index; -1 is none. INTIDs that
 * the redistributor does not take now are ignored: an ITS reads them from tables that software may have damaged.
 */
export interface LpiSink {
  /** How many LPI INTID bits the redistributors take now (GICD_TYPER.IDbits + 1, cut by GICR_PROPBASER). */
  readonly idBits: number;
  /** Left out where the state has no such shape. */
  readonly pendingBits?: LpiPendingBits;
  /** The redistributor that an ITS command's RDbase names: by GICR_TYPER.Processor_Number, or by address >> 16 with PTA. */
  target(rdbase: number, pta: boolean): number;
  setPending(target: number, intid: number): void;
  clearPending(target: number, intid: number): void;
  /** Drops what is cached of one LPI's configuration, or of all. */
  invalidate(target: number, intid: number): void;
  invalidateAll(target: number): void;
  /** Moves a pending LPI, or all of them, to another redistributor. */
  movePending(from: number, to: number, intid: number): void;
  moveAllPending(from: number, to: number): void;
}

/** An interrupt controller with redistributors: an ITS node's parent. */
export interface RedistributorsModel extends InterruptControllerModel {
  readonly lpis: LpiSink;
}

/** A model that stands between devices and the bus: `iommus` and `iommu-map` lead to its node. */
export interface IommuModel extends Model {
  /**
   * Another number as soon as an address that `translate` gave may be another: after registers, invalidation commands, a
   * restored state. A bus may keep the address until then. Left out where it must ask each time.
   */
  readonly generation?: number;
  /**
   * Where one access that stays within a 4 KiB page goes: the physical address, or a negative number where it faulted and
   * nothing may follow. `by.streamId` says whose it is; `address` is what the device puts on the bus.
   */
  translate(by: Requester, address: number, write: boolean): number;
}

/** A stretch of RAM that is read without a call. It crosses no multiple of 4 GiB. */
export interface RamWindow {
  /** A multiple of 8: where words[0] is. */
  readonly base: PhysAddr;
  /** An even number of words. Another array once memory was placed anew: looked at for each access, never kept. */
  readonly words: Uint32Array;
}

/** A model's own view of memory. False where the address is not RAM: the bytes are then untouched. */
export interface Dma {
  load(pa: PhysAddr, into: Uint8Array): boolean;
  store(pa: PhysAddr, from: Uint8Array): boolean;
  /**
   * One aligned doubleword in one access, low word first: how descriptors are read. Left out where `load` is as fast.
   * False, with `into` untouched, where the address is not RAM or no multiple of 8.
   */
  load64?(pa: PhysAddr, into: Uint32Array): boolean;
  /**
   * The window that shows `pa`, good as long as RAM is; undefined where there is none now. It shows what `load` would read.
   * Left out where RAM has no such shape.
   */
  window?(pa: PhysAddr): RamWindow | undefined;
}

/**
 * A device's way to memory and doorbells, with its ids on every access and its IOMMU between, where there is one.
 * Addresses are what the device puts on the bus. False where the access faulted or nothing answered.
 */
export interface DmaPort {
  readonly requester: Requester;
  load(address: number, into: Uint8Array): boolean;
  store(address: number, from: Uint8Array): boolean;
  /** One 32-bit write, the form an MSI has. */
  write32(address: number, value: number): boolean;
}

/** Given to bus models: the port of a requester id on this node's bus, always the same one for the same ids. */
export interface DmaPorts {
  /** `substreamId`: the PASID that every access of the port carries. */
  port(requesterId: number, substreamId?: number): DmaPort;
}

/** What a model reports. Formats take %d and %x, so that nothing is formatted where nobody listens. */
export interface ModelLog {
  /** Software broke a rule of the specification. */
  guest(format: string, ...args: readonly (number | string)[]): void;
  /** Software asked for what the model does not have. */
  unimp(format: string, ...args: readonly (number | string)[]): void;
}
