// SPDX-License-Identifier: Apache-2.0
// Configuration registers that vfio-pci looks at. PCI Express Base Specification 7.5 and 7.7, PCI Local Bus 3.0 section 6 and
// appendix H, PCI Power Management Interface 1.2 section 3.2. `offset` is in bytes from the header or the capability.

import { field } from '@irqkit/bits';

export const HEADER_BYTES = 64;
export const CONFIG_SPACE_BYTES = { CONVENTIONAL: 256, EXTENDED: 4096 } as const;

export const Vendor_ID = { offset: 0x00, size: 2 } as const;
export const Device_ID = { offset: 0x02, size: 2 } as const;
export const Command = {
  offset: 0x04,
  size: 2,
  IO_Space_Enable: field(0),
  Memory_Space_Enable: field(1),
  Bus_Master_Enable: field(2),
  Interrupt_Disable: field(10),
} as const;
export const Status = { offset: 0x06, size: 2, Interrupt_Status: field(3), Capabilities_List: field(4) } as const;
export const Cache_Line_Size = { offset: 0x0c, size: 1 } as const;
export const Latency_Timer = { offset: 0x0d, size: 1 } as const;
export const BIST = { offset: 0x0f, size: 1 } as const;
export const Base_Address = {
  offset: 0x10,
  size: 4,
  count: 6,
  IO_Space: field(0),
  Type: field(2, 1),
  Prefetchable: field(3),
} as const;
export const BASE_ADDRESS_TYPE = { BITS_32: 0b00, BITS_64: 0b10 } as const;
export const Expansion_ROM = { offset: 0x30, size: 4 } as const;
export const Capabilities_Pointer = { offset: 0x34, size: 1 } as const;
export const Interrupt_Line = { offset: 0x3c, size: 1 } as const;
export const Interrupt_Pin = { offset: 0x3d, size: 1 } as const;

export const Capability = { ID: field(7, 0), Next: field(15, 8), firstOffset: 0x40 } as const;
export const CAP_ID = {
  POWER_MANAGEMENT: 0x01,
  AGP: 0x02,
  VPD: 0x03,
  MSI: 0x05,
  PCIX: 0x07,
  HYPERTRANSPORT: 0x08,
  VENDOR: 0x09,
  EXPRESS: 0x10,
  MSIX: 0x11,
  SATA: 0x12,
  ADVANCED_FEATURES: 0x13,
} as const;
export const Extended_Capability = { ID: field(15, 0), Next: field(31, 20), firstOffset: 0x100 } as const;
export const EXT_CAP_ID = {
  ROOT_COMPLEX_LINK: 0x05,
  ROOT_COMPLEX_INTERNAL_LINK: 0x06,
  ROOT_COMPLEX_EVENT_COLLECTOR: 0x07,
  RCRB: 0x0a,
  VENDOR: 0x0b,
  CONFIGURATION_ACCESS: 0x0c,
  MULTI_ROOT_IOV: 0x11,
  AMD: 0x14,
  SECONDARY_EXPRESS: 0x19,
  PROTOCOL_MULTIPLEXING: 0x1a,
  PASID: 0x1b,
  DESIGNATED_VENDOR: 0x23,
} as const;

export const PM_Capabilities = { offset: 0x02, size: 2, PME_Support: field(15, 11) } as const;
export const PM_Control_Status = {
  offset: 0x04,
  size: 2,
  PowerState: field(1, 0),
  No_Soft_Reset: field(3),
  PME_En: field(8),
  PME_Status: field(15),
} as const;

export const MSI_Message_Control = {
  offset: 0x02,
  size: 2,
  MSI_Enable: field(0),
  Multiple_Message_Capable: field(3, 1),
  Multiple_Message_Enable: field(6, 4),
  Address_64bit_Capable: field(7),
  Per_Vector_Masking_Capable: field(8),
} as const;
export const MSI_Message_Address = { offset: 0x04, size: 4 } as const;
export const MSIX_Message_Control = { offset: 0x02, size: 2, Table_Size: field(10, 0) } as const;
export const MSIX_Table = { offset: 0x04, size: 4, BIR: field(2, 0), Offset: field(31, 3) } as const;
export const MSIX_ENTRY_BYTES = 16;

export const PCIe_Capabilities = { offset: 0x02, size: 2, Capability_Version: field(3, 0) } as const;
export const Device_Capabilities = { offset: 0x04, size: 4, Function_Level_Reset: field(28) } as const;
export const Device_Control = {
  offset: 0x08,
  size: 2,
  Max_Payload_Size: field(7, 5),
  Phantom_Functions_Enable: field(9),
  Max_Read_Request_Size: field(14, 12),
  Initiate_Function_Level_Reset: field(15),
} as const;
export const Device_Control_2 = { offset: 0x28, size: 2, ARI_Forwarding_Enable: field(5) } as const;

export const AF_Capabilities = {
  offset: 0x03,
  size: 1,
  Transactions_Pending: field(0),
  Function_Level_Reset: field(1),
} as const;
export const AF_Control = { offset: 0x04, size: 1, Initiate_FLR: field(0) } as const;
