// SPDX-License-Identifier: Apache-2.0
// Typed from PCI Express Base Specification chapter 7 and PCI Local Bus 3.0; they agree with linux/pci_regs.h.
import * as regs from '../src/regs.js';

describe('offsets', () => {
  it.each([
    [regs.Vendor_ID, 0x00, 2],
    [regs.Device_ID, 0x02, 2],
    [regs.Command, 0x04, 2],
    [regs.Status, 0x06, 2],
    [regs.Class_Revision, 0x08, 4],
    [regs.Cache_Line_Size, 0x0c, 1],
    [regs.Header_Type, 0x0e, 1],
    [regs.Base_Address, 0x10, 4],
    [regs.Subsystem_Vendor_ID, 0x2c, 2],
    [regs.Subsystem_ID, 0x2e, 2],
    [regs.Capabilities_Pointer, 0x34, 1],
    [regs.Interrupt_Line, 0x3c, 1],
    [regs.Interrupt_Pin, 0x3d, 1],
    [regs.Secondary_Bus_Number, 0x19, 1],
    [regs.Bus_Numbers, 0x18, 4],
    [regs.IO_Base, 0x1c, 1],
    [regs.IO_Limit, 0x1d, 1],
    [regs.Secondary_Status, 0x1e, 2],
    [regs.Memory_Base, 0x20, 2],
    [regs.Memory_Limit, 0x22, 2],
    [regs.Prefetchable_Memory_Base, 0x24, 2],
    [regs.Prefetchable_Memory_Limit, 0x26, 2],
    [regs.Prefetchable_Base_Upper_32_Bits, 0x28, 4],
    [regs.Prefetchable_Limit_Upper_32_Bits, 0x2c, 4],
    [regs.IO_Base_Upper_16_Bits, 0x30, 2],
    [regs.IO_Limit_Upper_16_Bits, 0x32, 2],
    [regs.Bridge_Control, 0x3e, 2],
    [regs.MSI_Message_Control, 0x02, 2],
    [regs.MSI_Message_Address, 0x04, 4],
    [regs.MSI_Message_Upper_Address, 0x08, 4],
    [regs.MSIX_Message_Control, 0x02, 2],
    [regs.MSIX_Table, 0x04, 4],
    [regs.MSIX_PBA, 0x08, 4],
    [regs.PCIe_Capabilities, 0x02, 2],
    [regs.Slot_Capabilities, 0x14, 4],
    [regs.ACS.Capability, 0x04, 2],
    [regs.ACS.Control, 0x06, 2],
  ])('register %# is where the specification has it', (register, offset, size) => {
    expect(register).toMatchObject({ offset, size });
  });

  it('has the MSI capability in both forms', () => {
    expect(regs.MSI_LAYOUT).toEqual([
      { Message_Data: 0x08, Mask_Bits: 0x0c, Pending_Bits: 0x10 },
      { Message_Data: 0x0c, Mask_Bits: 0x10, Pending_Bits: 0x14 },
    ]);
  });

  it('has MSI-X entries of four doublewords', () => {
    expect(regs.MSIX_ENTRY).toEqual({
      bytes: 16,
      Message_Address: 0,
      Message_Upper_Address: 4,
      Message_Data: 8,
      Vector_Control: 12,
    });
  });

  it('begins the capability lists at 0x40 and 0x100', () => {
    expect(regs.Capability.firstOffset).toBe(0x40);
    expect(regs.Extended_Capability.firstOffset).toBe(0x100);
    expect(regs.CONFIG_SPACE_BYTES).toEqual({ CONVENTIONAL: 0x100, EXTENDED: 0x1000 });
  });
});

describe('bits', () => {
  it.each([
    [regs.Command.IO_Space_Enable, 0x1],
    [regs.Command.Memory_Space_Enable, 0x2],
    [regs.Command.Bus_Master_Enable, 0x4],
    [regs.Command.Special_Cycle_Enable, 0x8],
    [regs.Command.Parity_Error_Response, 0x40],
    [regs.Command.SERR_Enable, 0x100],
    [regs.Command.Interrupt_Disable, 0x400],
    [regs.Status.Interrupt_Status, 0x8],
    [regs.Status.Capabilities_List, 0x10],
    [regs.Status.Master_Data_Parity_Error, 0x100],
    [regs.Status.errors, 0xf800],
    [regs.Class_Revision.Revision_ID, 0xff],
    [regs.Class_Revision.Class_Code, 0xffff_ff00],
    [regs.Header_Type.Header_Layout, 0x7f],
    [regs.Header_Type.Multi_Function_Device, 0x80],
    [regs.Base_Address.IO_Space, 0x1],
    [regs.Base_Address.Type, 0x6],
    [regs.Base_Address.Prefetchable, 0x8],
    [regs.Base_Address.memory, 0xffff_fff0],
    [regs.Base_Address.io, 0xffff_fffc],
    [regs.Bus_Numbers.Primary, 0xff],
    [regs.Bus_Numbers.Secondary, 0xff00],
    [regs.Bus_Numbers.Subordinate, 0xff_0000],
    [regs.Bus_Numbers.Secondary_Latency_Timer, 0xff00_0000],
    [regs.IO_Base.addressing, 0x0f],
    [regs.IO_Base.address, 0xf0],
    [regs.IO_Limit.addressing, 0x0f],
    [regs.IO_Limit.address, 0xf0],
    [regs.Memory_Base.address, 0xfff0],
    [regs.Memory_Limit.address, 0xfff0],
    [regs.Prefetchable_Memory_Base.addressing, 0x000f],
    [regs.Prefetchable_Memory_Base.address, 0xfff0],
    [regs.Prefetchable_Memory_Limit.addressing, 0x000f],
    [regs.Prefetchable_Memory_Limit.address, 0xfff0],
    [regs.Bridge_Control.Parity_Error_Response_Enable, 0x01],
    [regs.Bridge_Control.SERR_Enable, 0x02],
    [regs.Bridge_Control.ISA_Enable, 0x04],
    [regs.Bridge_Control.VGA_Enable, 0x08],
    [regs.Bridge_Control.VGA_16bit_Decode, 0x10],
    [regs.Bridge_Control.Secondary_Bus_Reset, 0x40],
    [regs.Capability.ID, 0x00ff],
    [regs.Capability.Next, 0xff00],
    [regs.Extended_Capability.ID, 0x0000_ffff],
    [regs.Extended_Capability.Version, 0x000f_0000],
    [regs.Extended_Capability.Next, 0xfff0_0000],
    [regs.MSI_Message_Control.MSI_Enable, 0x0001],
    [regs.MSI_Message_Control.Multiple_Message_Capable, 0x000e],
    [regs.MSI_Message_Control.Multiple_Message_Enable, 0x0070],
    [regs.MSI_Message_Control.Address_64bit_Capable, 0x0080],
    [regs.MSI_Message_Control.Per_Vector_Masking_Capable, 0x0100],
    [regs.MSI_Message_Address.address, 0xffff_fffc],
    [regs.MSIX_Message_Control.Table_Size, 0x07ff],
    [regs.MSIX_Message_Control.Function_Mask, 0x4000],
    [regs.MSIX_Message_Control.MSIX_Enable, 0x8000],
    [regs.MSIX_Table.BIR, 0x7],
    [regs.MSIX_Table.Offset, 0xffff_fff8],
    [regs.MSIX_PBA.BIR, 0x7],
    [regs.MSIX_PBA.Offset, 0xffff_fff8],
    [regs.MSIX_Vector_Control.Mask_Bit, 0x1],
    [regs.PCIe_Capabilities.Capability_Version, 0x000f],
    [regs.PCIe_Capabilities.Device_Port_Type, 0x00f0],
    [regs.PCIe_Capabilities.Slot_Implemented, 0x0100],
    [regs.Slot_Capabilities.Hot_Plug_Capable, 0x40],
    [regs.ACS.Source_Validation, 0x01],
    [regs.ACS.Translation_Blocking, 0x02],
    [regs.ACS.P2P_Request_Redirect, 0x04],
    [regs.ACS.P2P_Completion_Redirect, 0x08],
    [regs.ACS.Upstream_Forwarding, 0x10],
    [regs.ACS.P2P_Egress_Control, 0x20],
    [regs.ACS.Direct_Translated_P2P, 0x40],
    [regs.ACS.controls, 0x7f],
    [regs.ECAM.Bus_Number, 0x0ff0_0000],
    [regs.ECAM.Device_Number, 0x000f_8000],
    [regs.ECAM.Function_Number, 0x7000],
    [regs.ECAM.devfn, 0x000f_f000],
    [regs.ECAM.Register, 0x0fff],
    [regs.ROUTING_ID.Bus_Number, 0xff00],
    [regs.ROUTING_ID.Device_Number, 0x00f8],
    [regs.ROUTING_ID.Function_Number, 0x0007],
    [regs.ROUTING_ID.devfn, 0x00ff],
    [regs.PHYS_HI.space, 0x0300_0000],
    [regs.PHYS_HI.prefetchable, 0x4000_0000],
  ])('field %# has the bits of the specification', (bits, mask) => {
    expect(bits.mask).toBe(mask);
  });
});

describe('values', () => {
  it('names capabilities, port types and header layouts by their numbers', () => {
    expect(regs.CAP_ID).toEqual({ POWER_MANAGEMENT: 1, MSI: 5, VENDOR: 9, EXPRESS: 0x10, MSIX: 0x11 });
    expect(regs.EXT_CAP_ID).toEqual({ AER: 1, ACS: 0xd });
    expect(regs.HEADER_LAYOUT).toEqual({ NORMAL: 0, BRIDGE: 1 });
    expect(regs.BASE_ADDRESS_TYPE).toEqual({ BITS_32: 0, BITS_64: 2 });
    expect(regs.NR_BASE_ADDRESSES).toEqual({ NORMAL: 6, BRIDGE: 2 });
    expect(regs.WINDOW_ADDRESSING).toEqual({ IO_16: 0, IO_32: 1, MEMORY_32: 0, MEMORY_64: 1 });
    expect(regs.WINDOW_GRAIN).toEqual({ IO: 4096, MEMORY: 1048576 });
    expect(regs.DEVICE_PORT_TYPE).toEqual({
      ENDPOINT: 0,
      LEGACY_ENDPOINT: 1,
      ROOT_PORT: 4,
      UPSTREAM_PORT: 5,
      DOWNSTREAM_PORT: 6,
      PCIE_TO_PCI_BRIDGE: 7,
      PCI_TO_PCIE_BRIDGE: 8,
      RC_INTEGRATED_ENDPOINT: 9,
      RC_EVENT_COLLECTOR: 10,
    });
    expect(regs.CLASS_CODE).toEqual({
      NVM_EXPRESS: 0x010802,
      ETHERNET: 0x020000,
      HOST_BRIDGE: 0x060000,
      PCI_BRIDGE: 0x060400,
    });
    expect(regs.PHYS_HI_SPACE).toEqual({ CONFIGURATION: 0, IO: 1, MEMORY_32: 2, MEMORY_64: 3 });
    expect(regs.MSI_MULTIPLE_MESSAGE_MAX).toBe(5);
    expect(regs.ABSENT).toBe(0xffff_ffff);
    expect(regs.ECAM.bytesPerBus).toBe(0x10_0000);
  });
});
