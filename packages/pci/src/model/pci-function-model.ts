// SPDX-License-Identifier: Apache-2.0
// One PCI function: configuration space, BARs, MSI and MSI-X, INTx, and its way upstream. What it has is read from its
// configuration space as it is after power-on.

import { overlaps } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { AccessSize, State } from '@irqkit/core';
import {
  ACS,
  CAP_ID,
  Cache_Line_Size,
  Class_Revision,
  Command,
  EXT_CAP_ID,
  Header_Type,
  Interrupt_Line,
  Interrupt_Pin,
  NR_BASE_ADDRESSES,
  Status,
} from '../regs.js';
import { Bar } from './bar.js';
import type { BarSpec } from './bar.js';
import { findCapability, findExtendedCapability } from './capability-list.js';
import { ConfigSpace } from './config-space.js';
import type { ConfigRange } from './config-space.js';
import { MsiCapability } from './msi-capability.js';
import { MsixCapability } from './msix-capability.js';
import type { PciBusModel } from './pci-bus-model.js';
import { Upstream } from './upstream.js';

// Command, and every Base Address register of either header.
const COMMAND_BYTES = { offset: Command.offset, sizeBytes: 2 } as const;
const BAR_BYTES = { offset: 0x10, sizeBytes: 24 } as const;
const VERSION = 1;

/** A range of PCI addresses; empty where `last` is below `first`. */
export interface AddressWindow {
  readonly first: number;
  readonly last: number;
}

export abstract class PciFunctionModel {
  readonly config: ConfigSpace;
  readonly bars: readonly Bar[];
  readonly msi: MsiCapability | undefined;
  readonly msix: MsixCapability | undefined;
  protected readonly upstream = new Upstream();
  #bus: PciBusModel | undefined;
  #devfn = 0;
  #intx = false;
  #intxDriven = false;

  /**
   * `image`: the configuration space after power-on, 256 or 4096 bytes.
   * @throws LinuxError EINVAL for BARs that the header cannot have
   */
  protected constructor(image: Uint8Array, bars: readonly BarSpec[], nrBars: number = NR_BASE_ADDRESSES.NORMAL) {
    this.config = new ConfigSpace(image);
    this.bars = bars.map((spec) => new Bar(this.config, spec, nrBars));
    const { IO_Space_Enable, Memory_Space_Enable, Bus_Master_Enable } = Command;
    const { Parity_Error_Response, SERR_Enable, Interrupt_Disable } = Command;
    const controls = [IO_Space_Enable, Memory_Space_Enable, Bus_Master_Enable, Parity_Error_Response, SERR_Enable];
    this.config.allow(
      Command,
      controls.reduce((mask, control) => mask | control.mask, Interrupt_Disable.mask),
    );
    this.config.allowClear(Status, Status.errors.mask | Status.Master_Data_Parity_Error.mask);
    this.config.allow(Cache_Line_Size, 0xff);
    this.config.allow(Interrupt_Line, 0xff);
    const msi = findCapability(this.config, CAP_ID.MSI);
    const msix = findCapability(this.config, CAP_ID.MSIX);
    const acs = findExtendedCapability(this.config, EXT_CAP_ID.ACS);
    this.msi = msi === undefined ? undefined : new MsiCapability(this.config, msi, this.upstream);
    this.msix = msix === undefined ? undefined : new MsixCapability(this.config, msix, this.upstream);
    // UNIMP: capabilities other than MSI, MSI-X and ACS are read-only
    if (acs !== undefined) this.config.allow(ACS.Control, ACS.controls(this.config.get(ACS.Capability, acs)), acs);
  }

  /** 24 bits: base class, sub-class, programming interface. */
  get classCode(): number {
    return Class_Revision.Class_Code(this.config.get(Class_Revision));
  }

  /** Device and function number on its bus. */
  get devfn(): number {
    return this.#devfn;
  }

  /** Bus, device and function as its bus is numbered now; undefined while it has no number. */
  get ownId(): number | undefined {
    const number = this.#bus?.number;
    return number === undefined ? undefined : number * 256 + this.#devfn;
  }

  /** The requester id its requests carry above every bridge; undefined while bus mastering is off on the way. */
  get requesterId(): number | undefined {
    return this.upstream.requesterId;
  }

  /** @internal @throws LinuxError EBUSY where it is plugged in already */
  plug(bus: PciBusModel, devfn: number): void {
    if (this.#bus) throw new LinuxError('EBUSY', `function ${devfn >> 3}.${devfn & 7} is plugged in elsewhere`);
    this.#bus = bus;
    this.#devfn = devfn;
  }

  /** @internal Told where another function shares its device. */
  setMultiFunction(): void {
    this.config.set(Header_Type, Header_Type.Multi_Function_Device.set(this.config.get(Header_Type), 1));
  }

  /** @internal Opens or closes the way upstream as mastering and bus numbers now say. */
  refreshUpstream(): void {
    this.upstream.connect(this.masters ? this.#bus?.port(this.#devfn) : undefined);
  }

  /** True while Bus Master Enable is set here. */
  get masters(): boolean {
    return Command.Bus_Master_Enable(this.config.get(Command)) === 1;
  }

  /** True while it answers memory accesses. */
  get decodesMemory(): boolean {
    return Command.Memory_Space_Enable(this.config.get(Command)) === 1;
  }

  /** The bus behind it; undefined for an endpoint. */
  get behind(): PciBusModel | undefined {
    return undefined;
  }

  /** The memory ranges it passes on to the bus behind it. */
  get memoryWindows(): readonly AddressWindow[] {
    return [];
  }

  /** Sends vector `vector` by MSI-X or MSI, whichever is enabled. False where no message went out (masked: kept pending). */
  raise(vector: number): boolean {
    if (this.msix?.enabled) return this.msix.raise(vector);
    return this.msi !== undefined && this.msi.raise(vector);
  }

  /** True while messages take the place of INTx. */
  get usesMessages(): boolean {
    return (this.msix?.enabled ?? false) || (this.msi?.enabled ?? false);
  }

  /** Asserts or deasserts the function's interrupt pin. */
  setIntx(level: boolean): void {
    this.#intx = level;
    this.config.set(Status, Status.Interrupt_Status.set(this.config.get(Status), level ? 1 : 0));
    this.#driveIntx();
  }

  /** Software's access to the configuration space. */
  readConfig(offset: number, size: AccessSize): number {
    return this.config.read(offset, size);
  }

  writeConfig(offset: number, value: number, size: AccessSize): void {
    this.config.write(offset, value, size);
    this.configWritten((range) => overlaps(offset, size, range.offset, range.sizeBytes));
  }

  /** Memory accesses that hit BAR `bar`. */
  readBar(bar: number, offset: number, size: AccessSize): number {
    const table = this.msix?.tableOffset(bar, offset);
    if (table !== undefined) return this.msix?.readTable(table, size) ?? 0;
    const pba = this.msix?.pbaOffset(bar, offset);
    if (pba !== undefined) return this.msix?.readPba(pba, size) ?? 0;
    return this.readRegister(bar, offset, size);
  }

  writeBar(bar: number, offset: number, value: number, size: AccessSize): void {
    const table = this.msix?.tableOffset(bar, offset);
    if (table !== undefined) {
      // CHOICE: a write to the MSI-X table that is no aligned doubleword, undefined by the specification, is ignored.
      if (size === 4 && table % 4 === 0) this.msix?.writeTable(table, value);
      else this.#bus?.log?.guest('PCI: %d-byte write to MSI-X table offset 0x%x', size, table);
      return;
    }
    if (this.msix?.pbaOffset(bar, offset) !== undefined) return;
    this.writeRegister(bar, offset, value, size);
  }

  /** One 64-bit store. */
  writeBar64(bar: number, offset: number, lo: number, hi: number): void {
    this.writeBar(bar, offset, lo, 4);
    this.writeBar(bar, offset + 4, hi, 4);
  }

  /** The device's own registers, beyond MSI-X: none here, RAZ. */
  protected readRegister(_bar: number, _offset: number, _size: AccessSize): number {
    return 0;
  }

  /** WI. */
  protected writeRegister(_bar: number, _offset: number, _value: number, _size: AccessSize): void {}

  protected get bus(): PciBusModel | undefined {
    return this.#bus;
  }

  /** Takes in what was written; `touches` says whether a range of the space was among it. */
  protected configWritten(touches: (range: ConfigRange) => boolean): void {
    if (touches(COMMAND_BYTES)) {
      this.refreshUpstream();
      this.#driveIntx();
    }
    if (touches(COMMAND_BYTES) || touches(BAR_BYTES)) this.#bus?.forgetDecode();
    for (const messages of [this.msi, this.msix])
      if (messages && touches(messages.range)) {
        messages.latch();
        messages.flush();
      }
  }

  save(): State {
    return {
      version: VERSION,
      config: this.config.save(),
      intx: this.#intx,
      ...(this.msix && { msix: this.msix.save() }),
      registers: this.saveRegisters(),
    };
  }

  /** @internal The bus tells every function to look at its state anew once all have theirs. @throws LinuxError EINVAL */
  restore(state: State): void {
    if (state.version !== VERSION) throw new LinuxError('EINVAL', `PCI function state of version ${state.version}`);
    this.config.restore(state['config']);
    this.msix?.restore(state['msix']);
    this.restoreRegisters(state['registers']);
    this.msi?.latch();
    this.msix?.latch();
    this.#intx = state['intx'] === true;
    this.#driveIntx();
  }

  /** What a device keeps beyond its configuration space and MSI-X. */
  protected saveRegisters(): unknown {
    return undefined;
  }

  protected restoreRegisters(_saved: unknown): void {}

  #driveIntx(): void {
    const pin = this.config.get(Interrupt_Pin);
    const level = this.#intx && Command.Interrupt_Disable(this.config.get(Command)) === 0;
    if (level === this.#intxDriven || pin < 1 || pin > 4) return;
    this.#intxDriven = level;
    this.#bus?.driveIntx(this.#devfn >> 3, pin, level);
  }
}
