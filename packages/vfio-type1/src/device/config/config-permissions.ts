// SPDX-License-Identifier: Apache-2.0
// What user space may do with each bit of a configuration space: is it virtual, and may it be written. Source: the behaviour of
// Linux 6.1 drivers/vfio/pci/vfio_pci_config.c, perm_bits.
// UNIMP: writes to VPD, PCI-X, AER and power budgeting capabilities

import { putBytes } from './little-endian.js';
import {
  AF_Control,
  BIST,
  Base_Address,
  CAP_ID,
  Cache_Line_Size,
  Capabilities_Pointer,
  Command,
  Device_Control,
  Device_Control_2,
  Device_ID,
  Expansion_ROM,
  Interrupt_Line,
  Interrupt_Pin,
  Latency_Timer,
  MSI_Message_Address,
  MSI_Message_Control,
  PM_Capabilities,
  PM_Control_Status,
  Status,
  Vendor_ID,
} from './config-regs.js';

interface Register {
  readonly offset: number;
  readonly size: number;
}

const ALL = 0xffff_ffff;

/** A virtual bit is read from and written to the copy that user space sees, the others are the device's own. */
export class ConfigPermissions {
  readonly virtual: Uint8Array;
  readonly writable: Uint8Array;

  /** Nothing is virtual and everything may be written: so are gaps between capabilities, where devices hide registers. */
  constructor(sizeBytes: number) {
    this.virtual = new Uint8Array(sizeBytes);
    this.writable = new Uint8Array(sizeBytes).fill(0xff);
  }

  /** From here on the range is read-only and the device's own. */
  close(offset: number, sizeBytes: number): void {
    this.virtual.fill(0, offset, offset + sizeBytes);
    this.writable.fill(0, offset, offset + sizeBytes);
  }

  set({ offset, size }: Register, virtual: number, writable: number, base = 0): void {
    putBytes(this.virtual, base + offset, size, virtual);
    putBytes(this.writable, base + offset, size, writable);
  }

  /** @linux init_pci_cap_basic_perm */
  allowHeader(): void {
    for (const register of [Vendor_ID, Device_ID]) this.set(register, ALL, 0);
    this.set(Command, Command.Interrupt_Disable.mask, ALL);
    this.set(Status, Status.Capabilities_List.mask, 0);
    for (const register of [Cache_Line_Size, Latency_Timer, BIST]) this.set(register, 0, ALL);
    for (let i = 0; i < Base_Address.count; i++) this.set(Base_Address, ALL, ALL, 4 * i);
    this.set(Expansion_ROM, ALL, ALL);
    this.set(Capabilities_Pointer, ALL, 0);
    this.set(Interrupt_Line, ALL, ALL);
    this.set(Interrupt_Pin, ALL, 0);
  }

  /** What is writable of the capability `id` at `at`, whose header has been closed. */
  allowCapability(id: number, at: number, messageControl: number): void {
    switch (id) {
      case CAP_ID.POWER_MANAGEMENT:
        return this.#allowPowerManagement(at);
      case CAP_ID.MSI:
        return this.#allowMsi(at, messageControl);
      case CAP_ID.VENDOR:
        return; // The device's own affair: left as it is.
      case CAP_ID.EXPRESS:
        return this.#allowExpress(at);
      case CAP_ID.ADVANCED_FEATURES:
        return this.set(AF_Control, AF_Control.Initiate_FLR.mask, AF_Control.Initiate_FLR.mask, at);
    }
  }

  // A user cannot be told of wake-up events. @linux init_pci_cap_pm_perm
  // UNIMP: power states: what is written to PowerState is dropped
  #allowPowerManagement(at: number): void {
    const { PowerState, PME_En, PME_Status } = PM_Control_Status;
    const wake = PME_En.mask | PME_Status.mask;
    this.set(PM_Capabilities, PM_Capabilities.PME_Support.mask, 0, at);
    this.set(PM_Control_Status, wake, ~(wake | PowerState.mask), at);
    this.set({ offset: PM_Control_Status.offset + 2, size: 2 }, 0, ALL, at);
  }

  // Messages are the host's: what user space writes stays its own, masks go through. @linux init_pci_cap_msi_perm
  #allowMsi(at: number, control: number): void {
    const is64 = MSI_Message_Control.Address_64bit_Capable(control);
    const data = MSI_Message_Address.offset + (is64 ? 8 : 4);
    this.set({ offset: MSI_Message_Control.offset, size: 1 }, ALL, ALL, at);
    this.set({ offset: MSI_Message_Address.offset, size: 4 }, ALL, ALL, at);
    if (is64) this.set({ offset: MSI_Message_Address.offset + 4, size: 4 }, ALL, ALL, at);
    this.set({ offset: data, size: 2 }, ALL, ALL, at);
    if (!MSI_Message_Control.Per_Vector_Masking_Capable(control)) return;
    this.set({ offset: data + 4, size: 4 }, 0, ALL, at);
    this.set({ offset: data + 8, size: 4 }, 0, ALL, at);
  }

  // Payload sizes need a view of the whole hierarchy. @linux init_pci_cap_exp_perm
  #allowExpress(at: number): void {
    const { Max_Payload_Size, Max_Read_Request_Size, Initiate_Function_Level_Reset } = Device_Control;
    const virtual = Max_Payload_Size.mask | Max_Read_Request_Size.mask | Initiate_Function_Level_Reset.mask;
    this.set(Device_Control, virtual, ~Device_Control.Phantom_Functions_Enable.mask, at);
    this.set(Device_Control_2, 0, ~Device_Control_2.ARI_Forwarding_Enable.mask, at);
  }
}
