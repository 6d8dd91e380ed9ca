// SPDX-License-Identifier: Apache-2.0
// Configuration space, bit by bit: PCI Express Base Specification chapter 7, PCI Local Bus 3.0 section 6, PCI-to-PCI Bridge
// Architecture 1.2 section 3.2.5. `offset` is in bytes from the header, or from the capability the register belongs to.
// Not here: Power Management, AER, and every capability that neither the host nor the models use.

import { field } from '@irqkit/bits';
import type { AccessSize } from '@irqkit/core';

/** A register: its offset in bytes and its width. */
export interface ConfigRegister {
  readonly offset: number;
  readonly size: AccessSize;
}

/** Enhanced Configuration Access Mechanism: where a register lies in the window. */
export const ECAM = {
  Bus_Number: field(27, 20),
  Device_Number: field(19, 15),
  Function_Number: field(14, 12),
  /** Device and function together, as Linux's devfn. */
  devfn: field(19, 12),
  Register: field(11, 0),
  bytesPerBus: 0x10_0000,
} as const;

/** Conventional functions have the first, PCI Express functions the second. */
export const CONFIG_SPACE_BYTES = { CONVENTIONAL: 256, EXTENDED: 4096 } as const;

/** Requester id: bus [15:8], device [7:3], function [2:0]. */
export const ROUTING_ID = {
  Bus_Number: field(15, 8),
  Device_Number: field(7, 3),
  Function_Number: field(2, 0),
  devfn: field(7, 0),
} as const;

// Both header types.
export const Vendor_ID = { offset: 0x00, size: 2 } as const;
export const Device_ID = { offset: 0x02, size: 2 } as const;
export const Command = {
  offset: 0x04,
  size: 2,
  IO_Space_Enable: field(0),
  Memory_Space_Enable: field(1),
  Bus_Master_Enable: field(2),
  Special_Cycle_Enable: field(3),
  Parity_Error_Response: field(6),
  SERR_Enable: field(8),
  Interrupt_Disable: field(10),
} as const;
export const Status = {
  offset: 0x06,
  size: 2,
  Interrupt_Status: field(3),
  Capabilities_List: field(4),
  Master_Data_Parity_Error: field(8),
  /** Signaled and Received Target Abort, Received Master Abort, Signaled System Error, Detected Parity Error. */
  errors: field(15, 11),
} as const;
export const Class_Revision = { offset: 0x08, size: 4, Revision_ID: field(7, 0), Class_Code: field(31, 8) } as const;
export const Cache_Line_Size = { offset: 0x0c, size: 1 } as const;
export const Header_Type = {
  offset: 0x0e,
  size: 1,
  Header_Layout: field(6, 0),
  Multi_Function_Device: field(7),
} as const;
export const HEADER_LAYOUT = { NORMAL: 0, BRIDGE: 1 } as const;
export const Base_Address = {
  offset: 0x10,
  size: 4,
  IO_Space: field(0),
  Type: field(2, 1),
  Prefetchable: field(3),
  memory: field(31, 4),
  io: field(31, 2),
} as const;
export const BASE_ADDRESS_TYPE = { BITS_32: 0b00, BITS_64: 0b10 } as const;
/** How many Base Address registers each header layout has. */
export const NR_BASE_ADDRESSES = { NORMAL: 6, BRIDGE: 2 } as const;
export const Capabilities_Pointer = { offset: 0x34, size: 1 } as const;
export const Interrupt_Line = { offset: 0x3c, size: 1 } as const;
export const Interrupt_Pin = { offset: 0x3d, size: 1 } as const;

// Type 0 header.
export const Subsystem_Vendor_ID = { offset: 0x2c, size: 2 } as const;
export const Subsystem_ID = { offset: 0x2e, size: 2 } as const;

// Type 1 header.
export const Secondary_Bus_Number = { offset: 0x19, size: 1 } as const;
/** All three and the Secondary Latency Timer, as Linux writes them. */
export const Bus_Numbers = {
  offset: 0x18,
  size: 4,
  Primary: field(7, 0),
  Secondary: field(15, 8),
  Subordinate: field(23, 16),
  Secondary_Latency_Timer: field(31, 24),
} as const;
export const IO_Base = { offset: 0x1c, size: 1, addressing: field(3, 0), address: field(7, 4) } as const;
export const IO_Limit = { offset: 0x1d, size: 1, addressing: field(3, 0), address: field(7, 4) } as const;
export const Secondary_Status = { offset: 0x1e, size: 2 } as const;
export const Memory_Base = { offset: 0x20, size: 2, address: field(15, 4) } as const;
export const Memory_Limit = { offset: 0x22, size: 2, address: field(15, 4) } as const;
export const Prefetchable_Memory_Base = {
  offset: 0x24,
  size: 2,
  addressing: field(3, 0),
  address: field(15, 4),
} as const;
export const Prefetchable_Memory_Limit = {
  offset: 0x26,
  size: 2,
  addressing: field(3, 0),
  address: field(15, 4),
} as const;
export const Prefetchable_Base_Upper_32_Bits = { offset: 0x28, size: 4 } as const;
export const Prefetchable_Limit_Upper_32_Bits = { offset: 0x2c, size: 4 } as const;
export const IO_Base_Upper_16_Bits = { offset: 0x30, size: 2 } as const;
export const IO_Limit_Upper_16_Bits = { offset: 0x32, size: 2 } as const;
export const Bridge_Control = {
  offset: 0x3e,
  size: 2,
  Parity_Error_Response_Enable: field(0),
  SERR_Enable: field(1),
  ISA_Enable: field(2),
  VGA_Enable: field(3),
  VGA_16bit_Decode: field(4),
  Secondary_Bus_Reset: field(6),
} as const;
/** `addressing` of I/O and prefetchable windows. */
export const WINDOW_ADDRESSING = { IO_16: 0, IO_32: 1, MEMORY_32: 0, MEMORY_64: 1 } as const;
/** The grain of a bridge's windows in bytes. */
export const WINDOW_GRAIN = { IO: 0x1000, MEMORY: 0x10_0000 } as const;

// Capabilities.
export const Capability = { ID: field(7, 0), Next: field(15, 8), firstOffset: 0x40 } as const;
export const CAP_ID = { POWER_MANAGEMENT: 0x01, MSI: 0x05, VENDOR: 0x09, EXPRESS: 0x10, MSIX: 0x11 } as const;
export const Extended_Capability = {
  ID: field(15, 0),
  Version: field(19, 16),
  Next: field(31, 20),
  firstOffset: 0x100,
} as const;
export const EXT_CAP_ID = { AER: 0x0001, ACS: 0x000d } as const;

export const MSI_Message_Control = {
  offset: 0x02,
  size: 2,
  MSI_Enable: field(0),
  Multiple_Message_Capable: field(3, 1),
  Multiple_Message_Enable: field(6, 4),
  Address_64bit_Capable: field(7),
  Per_Vector_Masking_Capable: field(8),
} as const;
export const MSI_Message_Address = { offset: 0x04, size: 4, address: field(31, 2) } as const;
export const MSI_Message_Upper_Address = { offset: 0x08, size: 4 } as const;
/** Offsets of what follows the address, by Address_64bit_Capable. */
export const MSI_LAYOUT = [
  { Message_Data: 0x08, Mask_Bits: 0x0c, Pending_Bits: 0x10 },
  { Message_Data: 0x0c, Mask_Bits: 0x10, Pending_Bits: 0x14 },
] as const;
/** Multiple_Message values above this are reserved: 2^5 messages at most. */
export const MSI_MULTIPLE_MESSAGE_MAX = 5;

export const MSIX_Message_Control = {
  offset: 0x02,
  size: 2,
  /** The number of entries less one. */
  Table_Size: field(10, 0),
  Function_Mask: field(14),
  MSIX_Enable: field(15),
} as const;
export const MSIX_Table = { offset: 0x04, size: 4, BIR: field(2, 0), Offset: field(31, 3) } as const;
export const MSIX_PBA = { offset: 0x08, size: 4, BIR: field(2, 0), Offset: field(31, 3) } as const;
export const MSIX_ENTRY = {
  bytes: 16,
  Message_Address: 0x0,
  Message_Upper_Address: 0x4,
  Message_Data: 0x8,
  Vector_Control: 0xc,
} as const;
export const MSIX_Vector_Control = { Mask_Bit: field(0) } as const;

export const PCIe_Capabilities = {
  offset: 0x02,
  size: 2,
  Capability_Version: field(3, 0),
  Device_Port_Type: field(7, 4),
  Slot_Implemented: field(8),
} as const;
export const DEVICE_PORT_TYPE = {
  ENDPOINT: 0b0000,
  LEGACY_ENDPOINT: 0b0001,
  ROOT_PORT: 0b0100,
  UPSTREAM_PORT: 0b0101,
  DOWNSTREAM_PORT: 0b0110,
  PCIE_TO_PCI_BRIDGE: 0b0111,
  PCI_TO_PCIE_BRIDGE: 0b1000,
  RC_INTEGRATED_ENDPOINT: 0b1001,
  RC_EVENT_COLLECTOR: 0b1010,
} as const;
export const Slot_Capabilities = { offset: 0x14, size: 4, Hot_Plug_Capable: field(6) } as const;

/** Capability and Control share their bits; the Control register decides what is in force. */
export const ACS = {
  Capability: { offset: 0x04, size: 2 },
  Control: { offset: 0x06, size: 2 },
  Source_Validation: field(0),
  Translation_Blocking: field(1),
  P2P_Request_Redirect: field(2),
  P2P_Completion_Redirect: field(3),
  Upstream_Forwarding: field(4),
  P2P_Egress_Control: field(5),
  Direct_Translated_P2P: field(6),
  /** Every control bit; above them the Capability register has the egress vector's size. */
  controls: field(6, 0),
} as const;

/** Class codes: base class, sub-class, programming interface. */
export const CLASS_CODE = {
  NVM_EXPRESS: 0x010802,
  ETHERNET: 0x020000,
  HOST_BRIDGE: 0x060000,
  PCI_BRIDGE: 0x060400,
} as const;

/** What a read of a function that is not there returns. @linux PCI_ERROR_RESPONSE */
export const ABSENT = 0xffff_ffff;

/** phys.hi of a PCI child address in a devicetree's `ranges`. IEEE 1275 PCI Bus Binding 2.1, section 2.2.1.1. */
export const PHYS_HI = { space: field(25, 24), prefetchable: field(30) } as const;
export const PHYS_HI_SPACE = { CONFIGURATION: 0, IO: 1, MEMORY_32: 2, MEMORY_64: 3 } as const;
