// SPDX-License-Identifier: Apache-2.0
// The configuration space that user space sees: partly the device's, partly a copy. Source: the behaviour of Linux 6.1
// drivers/vfio/pci/vfio_pci_config.c.

import { highWord, lowWord } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { AccessSize } from '@irqkit/core';
import type { PciBar, PciDevice } from '@irqkit/pci/host';
import { canReset, resetFunction } from '../reset.js';
import { capabilities, extendedCapabilities } from './capability-map.js';
import type { CapabilityExtent } from './capability-map.js';
import { ConfigPermissions } from './config-permissions.js';
import {
  AF_Capabilities,
  AF_Control,
  BASE_ADDRESS_TYPE,
  Base_Address,
  CAP_ID,
  CONFIG_SPACE_BYTES,
  Capabilities_Pointer,
  Capability,
  Command,
  Device_Capabilities,
  Device_Control,
  EXT_CAP_ID,
  Expansion_ROM,
  Extended_Capability,
  HEADER_BYTES,
  MSI_Message_Control,
  Status,
} from './config-regs.js';
import { getBytes, putBytes } from './little-endian.js';

/** What writes to the space set off elsewhere. */
export interface ConfigHooks {
  /** The user's Interrupt Disable bit changed. */
  intxDisabled(disabled: boolean): void;
  /** Vectors of MSI that are enabled, as a power of two; undefined where MSI is not. */
  msiLog2Vectors(): number | undefined;
}

export class VirtualConfig {
  readonly sizeBytes: number;
  readonly #device: PciDevice;
  readonly #hooks: ConfigHooks;
  readonly #copy: Uint8Array;
  readonly #permissions: ConfigPermissions;
  readonly #msi: number | undefined;
  readonly #express: number | undefined;
  readonly #advanced: number | undefined;
  #intxDisabled = false;

  /** Copies the space as it is now: the device is enabled and no message is. @linux vfio_config_init */
  constructor(device: PciDevice, hooks: ConfigHooks) {
    this.#device = device;
    this.#hooks = hooks;
    this.sizeBytes = configBytes(device);
    this.#copy = new Uint8Array(this.sizeBytes);
    for (let at = 0; at < this.sizeBytes; at += 4) putBytes(this.#copy, at, 4, device.readConfig(at, 4));
    this.#permissions = new ConfigPermissions(this.sizeBytes);
    this.#permissions.close(0, HEADER_BYTES);
    this.#permissions.allowHeader();
    const found = capabilities(device);
    this.#addCapabilities(found);
    if (this.sizeBytes > CONFIG_SPACE_BYTES.CONVENTIONAL)
      this.#addExtended(extendedCapabilities(device, this.sizeBytes));
    const at = (wanted: number): number | undefined => found.find(({ id }) => id === wanted)?.at;
    this.#msi = at(CAP_ID.MSI);
    this.#express = at(CAP_ID.EXPRESS);
    this.#advanced = at(CAP_ID.ADVANCED_FEATURES);
  }

  /** True while user space has memory decoding on. @linux __vfio_pci_memory_enabled */
  get memoryEnabled(): boolean {
    return Command.Memory_Space_Enable(getBytes(this.#copy, Command.offset, 2)) === 1;
  }

  /** @throws LinuxError EFAULT beyond the space @linux vfio_pci_config_rw */
  read(offset: number, into: Uint8Array): number {
    for (const { at, size } of this.#accesses(offset, into.length))
      putBytes(into, at - offset, size, this.#readRegister(at, size));
    return into.length;
  }

  write(offset: number, from: Uint8Array): number {
    for (const { at, size } of this.#accesses(offset, from.length))
      this.#writeRegister(at, size, getBytes(from, at - offset, size));
    return from.length;
  }

  // Aligned, and no wider than a register. @linux vfio_config_do_rw
  *#accesses(offset: number, length: number): Generator<{ readonly at: number; readonly size: AccessSize }> {
    if (offset + length > this.sizeBytes)
      throw new LinuxError('EFAULT', `${this.#device.name}: configuration space ends before ${offset + length}`);
    for (let at = offset; at < offset + length;) {
      const left = offset + length - at;
      const size = left >= 4 && at % 4 === 0 ? 4 : left >= 2 && at % 2 === 0 ? 2 : 1;
      yield { at, size };
      at += size;
    }
  }

  #readRegister(at: number, size: AccessSize): number {
    if (isBar(at)) this.#settleBars();
    const virtual = getBytes(this.#permissions.virtual, at, size);
    const copy = getBytes(this.#copy, at, size);
    if (virtual === 2 ** (8 * size) - 1) return copy;
    return ((this.#device.readConfig(at, size) & ~virtual) | (copy & virtual)) >>> 0;
  }

  #writeRegister(at: number, size: AccessSize, value: number): void {
    const writable = getBytes(this.#permissions.writable, at, size);
    if (writable === 0) return;
    const virtual = getBytes(this.#permissions.virtual, at, size);
    const own = writable & virtual;
    putBytes(this.#copy, at, size, (getBytes(this.#copy, at, size) & ~own) | (value & own));
    const through = writable & ~virtual;
    if (through !== 0) {
      const kept = this.#device.readConfig(at, size) & ~through;
      this.#device.writeConfig(at, (kept | (value & through)) >>> 0, size);
    }
    this.#afterWrite(at, size, value);
  }

  #afterWrite(at: number, size: number, value: number): void {
    if (at === Command.offset) this.#rememberDecoding(value);
    if (at >= Command.offset && at < Command.offset + Command.size) this.#followIntxDisable();
    const touches = (capability: number | undefined, register: { offset: number; size: number }): boolean =>
      capability !== undefined &&
      at < capability + register.offset + register.size &&
      at + size > capability + register.offset;
    if (touches(this.#msi, MSI_Message_Control)) this.#writeMessageControl(this.#msi!);
    if (touches(this.#express, Device_Control)) this.#afterDeviceControl(this.#express!);
    if (touches(this.#advanced, AF_Control)) this.#afterAdvancedControl(this.#advanced!);
  }

  // The copy has what user space last wrote, whatever the device did meanwhile.
  #rememberDecoding(value: number): void {
    const decoding = Command.IO_Space_Enable.mask | Command.Memory_Space_Enable.mask;
    putBytes(this.#copy, Command.offset, 2, (getBytes(this.#copy, Command.offset, 2) & ~decoding) | (value & decoding));
  }

  #followIntxDisable(): void {
    const disabled = Command.Interrupt_Disable(getBytes(this.#copy, Command.offset, 2)) === 1;
    if (disabled === this.#intxDisabled) return;
    this.#intxDisabled = disabled;
    this.#hooks.intxDisabled(disabled);
  }

  /** MSI is enabled by SET_IRQS alone, and no more vectors than it enabled. @linux vfio_msi_config_write */
  #writeMessageControl(at: number): void {
    const { MSI_Enable, Multiple_Message_Enable } = MSI_Message_Control;
    const enabled = this.#hooks.msiLog2Vectors();
    let control = getBytes(this.#copy, at + MSI_Message_Control.offset, 2);
    if (enabled === undefined) control = MSI_Enable.set(control, 0);
    if (Multiple_Message_Enable(control) > (enabled ?? 0)) control = Multiple_Message_Enable.set(control, enabled ?? 0);
    putBytes(this.#copy, at + MSI_Message_Control.offset, 2, control);
    this.#device.config.set(MSI_Message_Control, control, at);
  }

  /** @linux vfio_exp_config_write */
  #afterDeviceControl(at: number): void {
    const control = getBytes(this.#copy, at + Device_Control.offset, 2);
    if (!Device_Control.Initiate_Function_Level_Reset(control)) return;
    const cleared = Device_Control.Initiate_Function_Level_Reset.set(control, 0);
    putBytes(this.#copy, at + Device_Control.offset, 2, cleared);
    if (Device_Capabilities.Function_Level_Reset(this.#device.config.get(Device_Capabilities, at))) this.#reset();
  }

  /** @linux vfio_af_config_write */
  #afterAdvancedControl(at: number): void {
    const control = getBytes(this.#copy, at + AF_Control.offset, 1);
    if (!AF_Control.Initiate_FLR(control)) return;
    putBytes(this.#copy, at + AF_Control.offset, 1, AF_Control.Initiate_FLR.set(control, 0));
    const able = this.#device.config.get(AF_Capabilities, at);
    if (AF_Capabilities.Function_Level_Reset(able) && AF_Capabilities.Transactions_Pending(able)) this.#reset();
  }

  #reset(): void {
    if (canReset(this.#device)) resetFunction(this.#device);
  }

  // As registers of its size and kind would answer. @linux vfio_bar_fixup
  #settleBars(): void {
    for (let index = 0; index < Base_Address.count; index++) {
      const at = Base_Address.offset + 4 * index;
      const bar = this.#device.bars.find((each) => each.index === index);
      if (bar?.address === undefined) {
        putBytes(this.#copy, at, 4, 0);
        continue;
      }
      const low = ~lowWord(bar.sizeBytes - 1);
      putBytes(this.#copy, at, 4, (getBytes(this.#copy, at, 4) & low) | barFlags(bar));
      if (!bar.is64) continue;
      index++;
      putBytes(this.#copy, at + 4, 4, getBytes(this.#copy, at + 4, 4) & ~highWord(bar.sizeBytes - 1));
    }
    putBytes(this.#copy, Expansion_ROM.offset, 4, 0);
  }

  // A hidden one is left out of the list. @linux vfio_cap_init
  #addCapabilities(found: readonly CapabilityExtent[]): void {
    const shown = found.filter(({ sizeBytes }) => sizeBytes > 0);
    putBytes(this.#copy, Capabilities_Pointer.offset, 1, shown[0]?.at ?? 0);
    if (shown.length === 0) this.#copy[Status.offset] &= ~Status.Capabilities_List.mask;
    shown.forEach(({ id, at, sizeBytes }, i) => {
      const next = shown[i + 1]?.at ?? 0;
      putBytes(this.#copy, at, 2, Capability.Next.set(id, next));
      if (id !== CAP_ID.VENDOR) this.#permissions.close(at, sizeBytes);
      this.#permissions.allowCapability(id, at, getBytes(this.#copy, at + MSI_Message_Control.offset, 2));
      this.#permissions.set({ offset: 0, size: 2 }, 0xffff, 0, at);
      if (id === CAP_ID.POWER_MANAGEMENT) this.#hideWakeUp(at);
    });
  }

  #hideWakeUp(at: number): void {
    for (let i = at; i < at + 8; i++) if (i >= at + 2) this.#copy[i] &= ~this.#permissions.virtual[i];
  }

  // The first of the list stays as a header without an id where it is hidden. @linux vfio_ecap_init
  #addExtended(found: readonly CapabilityExtent[]): void {
    const shown = found.filter(({ sizeBytes }, i) => sizeBytes > 0 || i === 0);
    shown.forEach(({ id, at, sizeBytes }, i) => {
      const next = shown[i + 1]?.at ?? 0;
      const header = sizeBytes > 0 ? getBytes(this.#copy, at, 4) : 0;
      putBytes(this.#copy, at, 4, Extended_Capability.Next.set(header, next));
      if (id !== EXT_CAP_ID.VENDOR && id !== EXT_CAP_ID.DESIGNATED_VENDOR) this.#permissions.close(at, sizeBytes);
      this.#permissions.set({ offset: 0, size: 4 }, 0xffff_ffff, 0, at);
    });
  }
}

/** @linux pci_cfg_space_size */
function configBytes(device: PciDevice): number {
  const { CONVENTIONAL, EXTENDED } = CONFIG_SPACE_BYTES;
  if (device.findCapability(CAP_ID.EXPRESS) === undefined) return CONVENTIONAL;
  return device.readConfig(CONVENTIONAL, 4) === 0xffff_ffff ? CONVENTIONAL : EXTENDED;
}

function isBar(at: number): boolean {
  const inBars = at >= Base_Address.offset && at < Base_Address.offset + 4 * Base_Address.count;
  return inBars || (at >= Expansion_ROM.offset && at < Expansion_ROM.offset + Expansion_ROM.size);
}

/** @linux vfio_generate_bar_flags */
function barFlags({ space, is64, prefetchable }: PciBar): number {
  if (space === 'io') return Base_Address.IO_Space.mask;
  const type = Base_Address.Type.set(0, is64 ? BASE_ADDRESS_TYPE.BITS_64 : BASE_ADDRESS_TYPE.BITS_32);
  return Base_Address.Prefetchable.set(type, prefetchable ? 1 : 0);
}
