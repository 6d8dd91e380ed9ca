// SPDX-License-Identifier: Apache-2.0
// Builds the configuration space that a function has after power-on.

import { alignUp } from '@irqkit/bits';
import {
  ACS,
  CAP_ID,
  CONFIG_SPACE_BYTES,
  Capabilities_Pointer,
  Capability,
  Class_Revision,
  DEVICE_PORT_TYPE,
  Device_ID,
  EXT_CAP_ID,
  Extended_Capability,
  HEADER_LAYOUT,
  Header_Type,
  IO_Base,
  IO_Limit,
  Interrupt_Pin,
  MSIX_Message_Control,
  MSIX_PBA,
  MSIX_Table,
  MSI_LAYOUT,
  MSI_Message_Control,
  PCIe_Capabilities,
  Prefetchable_Memory_Base,
  Prefetchable_Memory_Limit,
  Slot_Capabilities,
  Status,
  Subsystem_ID,
  Subsystem_Vendor_ID,
  Vendor_ID,
  WINDOW_ADDRESSING,
} from '../regs.js';
import type { ConfigRegister } from '../regs.js';
import { ConfigSpace } from './config-space.js';

/** What a function is, before software has touched it. */
export interface FunctionIdentity {
  readonly vendorId: number;
  readonly deviceId: number;
  /** Base class, sub-class and programming interface: 0x010802. */
  readonly classCode: number;
  readonly revisionId?: number;
  readonly subsystem?: { readonly vendorId: number; readonly id: number };
  /** 1 to 4 for INTA to INTD; none when left out. */
  readonly interruptPin?: number;
  readonly express?: { readonly portType: number; readonly hotPlug?: boolean };
  readonly msi?: { readonly vectors: number; readonly is64?: boolean; readonly maskable?: boolean };
  readonly msix?: {
    readonly vectors: number;
    readonly bar: number;
    readonly tableOffset: number;
    readonly pbaOffset: number;
  };
  /** Bits of the ACS Capability register; needs `express`. */
  readonly acs?: number;
  readonly bridge?: boolean;
}

/** A configuration space of 4096 bytes for a PCI Express function, 256 for a conventional one. */
export function configImage(identity: FunctionIdentity): Uint8Array {
  const size = identity.express ? CONFIG_SPACE_BYTES.EXTENDED : CONFIG_SPACE_BYTES.CONVENTIONAL;
  const config = new ConfigSpace(new Uint8Array(size));
  config.set(Vendor_ID, identity.vendorId);
  config.set(Device_ID, identity.deviceId);
  config.set(Class_Revision, identity.classCode * 256 + (identity.revisionId ?? 0));
  config.set(Header_Type, identity.bridge ? HEADER_LAYOUT.BRIDGE : HEADER_LAYOUT.NORMAL);
  config.set(Interrupt_Pin, identity.interruptPin ?? 0);
  if (identity.bridge) addWindows(config);
  else if (identity.subsystem) {
    config.set(Subsystem_Vendor_ID, identity.subsystem.vendorId);
    config.set(Subsystem_ID, identity.subsystem.id);
  }
  addCapabilities(config, identity);
  if (identity.acs !== undefined) addAcs(config, identity.acs);
  return config.save();
}

function addWindows(config: ConfigSpace): void {
  for (const register of [IO_Base, IO_Limit]) config.set(register, WINDOW_ADDRESSING.IO_32);
  for (const register of [Prefetchable_Memory_Base, Prefetchable_Memory_Limit])
    config.set(register, WINDOW_ADDRESSING.MEMORY_64);
}

function addCapabilities(config: ConfigSpace, { express, msi, msix }: FunctionIdentity): void {
  const list = new CapabilityList(config);
  if (msix) {
    const at = list.add(CAP_ID.MSIX, 12);
    config.set(MSIX_Message_Control, msix.vectors - 1, at);
    config.set(MSIX_Table, msix.tableOffset + msix.bar, at);
    config.set(MSIX_PBA, msix.pbaOffset + msix.bar, at);
  }
  if (msi) {
    const { is64 = true, maskable = false } = msi;
    const layout = MSI_LAYOUT[is64 ? 1 : 0];
    const at = list.add(CAP_ID.MSI, maskable ? layout.Pending_Bits + 4 : layout.Message_Data + 2);
    let control = MSI_Message_Control.Multiple_Message_Capable.set(0, Math.ceil(Math.log2(msi.vectors)));
    control = MSI_Message_Control.Address_64bit_Capable.set(control, is64 ? 1 : 0);
    config.set(MSI_Message_Control, MSI_Message_Control.Per_Vector_Masking_Capable.set(control, maskable ? 1 : 0), at);
  }
  if (express) {
    const at = list.add(CAP_ID.EXPRESS, 0x3c);
    const hasSlot =
      express.portType === DEVICE_PORT_TYPE.ROOT_PORT || express.portType === DEVICE_PORT_TYPE.DOWNSTREAM_PORT;
    let capabilities = PCIe_Capabilities.Capability_Version.set(0, 2);
    capabilities = PCIe_Capabilities.Device_Port_Type.set(capabilities, express.portType);
    config.set(PCIe_Capabilities, PCIe_Capabilities.Slot_Implemented.set(capabilities, hasSlot ? 1 : 0), at);
    config.set(Slot_Capabilities, Slot_Capabilities.Hot_Plug_Capable.set(0, express.hotPlug ? 1 : 0), at);
  }
}

function addAcs(config: ConfigSpace, capability: number): void {
  const at = Extended_Capability.firstOffset;
  const header = Extended_Capability.Version.set(Extended_Capability.ID.set(0, EXT_CAP_ID.ACS), 1);
  config.set({ offset: 0, size: 4 }, header, at);
  config.set(ACS.Capability, capability, at);
}

class CapabilityList {
  readonly #config: ConfigSpace;
  #link: ConfigRegister = Capabilities_Pointer;
  #next: number = Capability.firstOffset;

  constructor(config: ConfigSpace) {
    this.#config = config;
  }

  /** Appends a capability of `bytes` bytes; its offset. */
  add(id: number, bytes: number): number {
    const at = this.#next;
    this.#config.set(Status, Status.Capabilities_List.set(this.#config.get(Status), 1));
    this.#config.set(this.#link, at);
    this.#config.set({ offset: at, size: 1 }, id);
    this.#link = { offset: at + 1, size: 1 };
    this.#next = alignUp(at + bytes, 4);
    return at;
  }
}
