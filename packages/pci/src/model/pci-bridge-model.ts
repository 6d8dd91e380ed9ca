// SPDX-License-Identifier: Apache-2.0
// A bridge: forwards configuration accesses by bus number and memory accesses by window. PCI-to-PCI Bridge Architecture 1.2
// section 3.2.5; PCI Express to PCI/PCI-X Bridge 1.0 section 2.3 for requester ids.

import type { State } from '@irqkit/core';
import {
  Bridge_Control,
  Bus_Numbers,
  CAP_ID,
  DEVICE_PORT_TYPE,
  IO_Base,
  IO_Base_Upper_16_Bits,
  IO_Limit,
  IO_Limit_Upper_16_Bits,
  Memory_Base,
  Memory_Limit,
  NR_BASE_ADDRESSES,
  PCIe_Capabilities,
  Prefetchable_Base_Upper_32_Bits,
  Prefetchable_Limit_Upper_32_Bits,
  Prefetchable_Memory_Base,
  Prefetchable_Memory_Limit,
  WINDOW_ADDRESSING,
  WINDOW_GRAIN,
} from '../regs.js';
import type { BarSpec } from './bar.js';
import { findCapability } from './capability-list.js';
import { PciBusModel } from './pci-bus-model.js';
import { PciFunctionModel } from './pci-function-model.js';
import type { AddressWindow } from './pci-function-model.js';
import type { ConfigRange } from './config-space.js';

/** The optional windows of a bridge; it has those not said to be missing. */
export interface BridgeWindows {
  readonly io?: boolean;
  readonly prefetchable?: boolean;
}

const BUS_NUMBER_BYTES = { offset: Bus_Numbers.offset, sizeBytes: 3 } as const;
const WINDOW_BYTES = { offset: IO_Base.offset, sizeBytes: 0x18 } as const;
const LIMIT_FILL = WINDOW_GRAIN.MEMORY - 1;

export class PciBridgeModel extends PciFunctionModel {
  /** Device/Port Type of its PCI Express capability; undefined on a conventional bridge. */
  readonly portType: number | undefined;
  readonly #secondary: PciBusModel = new PciBusModel(this);
  readonly #windows: BridgeWindows;
  readonly #has64BitWindow: boolean;

  /**
   * `image` says by the low bits of its window registers how wide its windows are, `windows` which it has.
   * @throws LinuxError EINVAL for BARs that the header cannot have
   */
  constructor(image: Uint8Array, bars: readonly BarSpec[] = [], windows: BridgeWindows = {}) {
    super(image, bars, NR_BASE_ADDRESSES.BRIDGE);
    this.#windows = windows;
    const express = findCapability(this.config, CAP_ID.EXPRESS);
    this.portType =
      express === undefined
        ? undefined
        : PCIe_Capabilities.Device_Port_Type(this.config.get(PCIe_Capabilities, express));
    const { Primary, Secondary, Subordinate } = Bus_Numbers;
    this.config.allow(Bus_Numbers, Primary.mask | Secondary.mask | Subordinate.mask);
    for (const register of [Memory_Base, Memory_Limit]) this.config.allow(register, register.address.mask);
    const { addressing } = Prefetchable_Memory_Base;
    this.#has64BitWindow = addressing(this.config.get(Prefetchable_Memory_Base)) === WINDOW_ADDRESSING.MEMORY_64;
    if (windows.prefetchable !== false) this.#allowPrefetchable();
    if (windows.io !== false) this.#allowIo();
    const { Parity_Error_Response_Enable, SERR_Enable, ISA_Enable, VGA_Enable, VGA_16bit_Decode } = Bridge_Control;
    const controls = [Parity_Error_Response_Enable, SERR_Enable, ISA_Enable, VGA_Enable, VGA_16bit_Decode];
    this.config.allow(
      Bridge_Control,
      controls.reduce((mask, control) => mask | control.mask, Bridge_Control.Secondary_Bus_Reset.mask),
    );
  }

  override get behind(): PciBusModel {
    return this.#secondary;
  }

  get secondaryBus(): number {
    return Bus_Numbers.Secondary(this.config.get(Bus_Numbers));
  }

  get subordinateBus(): number {
    return Bus_Numbers.Subordinate(this.config.get(Bus_Numbers));
  }

  /** True where the bus behind it is conventional PCI: requests there carry no id of their own. */
  get takesOwnership(): boolean {
    return !(
      this.portType === DEVICE_PORT_TYPE.ROOT_PORT ||
      this.portType === DEVICE_PORT_TYPE.UPSTREAM_PORT ||
      this.portType === DEVICE_PORT_TYPE.DOWNSTREAM_PORT
    );
  }

  /** True where extended configuration space is out of reach behind it. */
  get hidesExtendedSpace(): boolean {
    return this.portType === undefined || this.portType === DEVICE_PORT_TYPE.PCIE_TO_PCI_BRIDGE;
  }

  /** The bridge above this one. */
  get above(): PciBridgeModel | undefined {
    return this.bus?.bridge;
  }

  /** True while requests from its own bus reach the top. */
  get reachesTop(): boolean {
    return this.bus?.open ?? false;
  }

  /** @internal An INTx wire of the bus behind it changes. */
  passIntx(pin: number, level: boolean): void {
    this.bus?.driveIntx(this.devfn >> 3, pin, level);
  }

  /** The id under which a request with `requesterId` from below goes on above. */
  forwardedId(requesterId: number): number | undefined {
    if (!this.takesOwnership) return requesterId;
    return this.portType === DEVICE_PORT_TYPE.PCIE_TO_PCI_BRIDGE ? this.secondaryBus * 256 : this.ownId;
  }

  // UNIMP: peer-to-peer routing below a bridge
  override get memoryWindows(): readonly AddressWindow[] {
    const memory = {
      first: Memory_Base.address(this.config.get(Memory_Base)) * WINDOW_GRAIN.MEMORY,
      last: Memory_Limit.address(this.config.get(Memory_Limit)) * WINDOW_GRAIN.MEMORY + LIMIT_FILL,
    };
    const upper = this.#has64BitWindow ? 2 ** 32 : 0;
    const base = Prefetchable_Memory_Base.address(this.config.get(Prefetchable_Memory_Base)) * WINDOW_GRAIN.MEMORY;
    const limit = Prefetchable_Memory_Limit.address(this.config.get(Prefetchable_Memory_Limit)) * WINDOW_GRAIN.MEMORY;
    const prefetchable = {
      first: this.config.get(Prefetchable_Base_Upper_32_Bits) * upper + base,
      last: this.config.get(Prefetchable_Limit_Upper_32_Bits) * upper + limit + LIMIT_FILL,
    };
    return this.#windows.prefetchable === false ? [memory] : [memory, prefetchable];
  }

  override refreshUpstream(): void {
    super.refreshUpstream();
    this.#secondary.refresh();
  }

  protected override configWritten(touches: (range: ConfigRange) => boolean): void {
    super.configWritten(touches);
    if (touches(BUS_NUMBER_BYTES)) this.#secondary.renumbered();
    if (touches(WINDOW_BYTES)) this.bus?.forgetDecode();
  }

  /** Its state and that of everything behind it. */
  override save(): State {
    return { ...super.save(), secondary: this.#secondary.save() };
  }

  override restore(state: State): void {
    super.restore(state);
    this.#secondary.restore(state['secondary']);
  }

  #allowPrefetchable(): void {
    for (const register of [Prefetchable_Memory_Base, Prefetchable_Memory_Limit])
      this.config.allow(register, register.address.mask);
    if (!this.#has64BitWindow) return;
    for (const register of [Prefetchable_Base_Upper_32_Bits, Prefetchable_Limit_Upper_32_Bits])
      this.config.allow(register, 0xffff_ffff);
  }

  #allowIo(): void {
    for (const register of [IO_Base, IO_Limit]) this.config.allow(register, register.address.mask);
    if (IO_Base.addressing(this.config.get(IO_Base)) !== WINDOW_ADDRESSING.IO_32) return;
    for (const register of [IO_Base_Upper_16_Bits, IO_Limit_Upper_16_Bits]) this.config.allow(register, 0xffff);
  }
}
