// SPDX-License-Identifier: Apache-2.0
// Shells: functions built from a configuration space recorded on a running machine, as they were after power-on: same ids,
// BAR sizes and capabilities; command, addresses, bus numbers and messages cleared.
// UNIMP: control registers of other capabilities keep their recorded values

import { LinuxError } from '@irqkit/core';
import {
  ACS,
  BASE_ADDRESS_TYPE,
  Base_Address,
  Bridge_Control,
  CAP_ID,
  CONFIG_SPACE_BYTES,
  Bus_Numbers,
  Cache_Line_Size,
  Command,
  EXT_CAP_ID,
  HEADER_LAYOUT,
  Header_Type,
  IO_Base,
  IO_Base_Upper_16_Bits,
  IO_Limit,
  IO_Limit_Upper_16_Bits,
  Interrupt_Line,
  MSI_LAYOUT,
  MSI_Message_Address,
  MSI_Message_Control,
  MSIX_Message_Control,
  Memory_Base,
  Memory_Limit,
  NR_BASE_ADDRESSES,
  Prefetchable_Base_Upper_32_Bits,
  Prefetchable_Limit_Upper_32_Bits,
  Prefetchable_Memory_Base,
  Prefetchable_Memory_Limit,
  Secondary_Status,
  Status,
} from '../regs.js';
import type { BarSpec } from './bar.js';
import { findCapability, findExtendedCapability } from './capability-list.js';
import { ConfigSpace } from './config-space.js';
import { PciBridgeModel } from './pci-bridge-model.js';
import { PciEndpoint } from './pci-endpoint.js';
import type { PciFunctionModel } from './pci-function-model.js';

/** What was recorded of one function: Linux's sysfs files `config` and `resource`. */
export interface PciRecord {
  /** `0000:00:02.0` */
  readonly bdf: string;
  /** The configuration space as hexadecimal digits, 64 to 4096 bytes. */
  readonly config: string;
  /** What is assigned: `i` is the BAR, addresses and flags are hexadecimal. */
  readonly resource: readonly {
    readonly i: number;
    readonly start: string;
    readonly end: string;
    readonly flags: string;
  }[];
}

// The type bits of a BAR are the low four of its flags. @linux IORESOURCE_IO, IORESOURCE_MEM (include/linux/ioport.h)
const IORESOURCE = { IO: 0x100, MEM: 0x200 } as const;
const HEADER_BYTES = 64;
const EXPANSION_ROM = { NORMAL: { offset: 0x30, size: 4 }, BRIDGE: { offset: 0x38, size: 4 } } as const;

/** @throws LinuxError EINVAL for a record that is no configuration space */
export function shellFromRecord(record: PciRecord): PciFunctionModel {
  const config = new ConfigSpace(recordedBytes(record));
  const isBridge = Header_Type.Header_Layout(config.get(Header_Type)) === HEADER_LAYOUT.BRIDGE;
  const nrBars = isBridge ? NR_BASE_ADDRESSES.BRIDGE : NR_BASE_ADDRESSES.NORMAL;
  const bars = record.resource.filter(({ i }) => i < nrBars).map(barOf);
  const windows = {
    io: config.get(IO_Base) + config.get(IO_Limit) !== 0,
    prefetchable: config.get(Prefetchable_Memory_Base) + config.get(Prefetchable_Memory_Limit) !== 0,
  };
  resetHeader(config, nrBars);
  if (isBridge) resetBridge(config);
  resetMessages(config);
  // UNIMP: expansion ROM
  config.set(isBridge ? EXPANSION_ROM.BRIDGE : EXPANSION_ROM.NORMAL, 0);
  return isBridge ? new PciBridgeModel(config.save(), bars, windows) : new PciEndpoint(config.save(), bars);
}

function recordedBytes({ bdf, config }: PciRecord): Uint8Array {
  const recorded = config.length / 2;
  if (!/^([0-9a-f]{2})*$/i.test(config) || recorded < HEADER_BYTES || recorded > CONFIG_SPACE_BYTES.EXTENDED)
    throw new LinuxError(
      'EINVAL',
      `${bdf}: recorded configuration space is not 64 to 4096 bytes of hexadecimal digits`,
    );
  const { CONVENTIONAL, EXTENDED } = CONFIG_SPACE_BYTES;
  const bytes = new Uint8Array(recorded > CONVENTIONAL ? EXTENDED : CONVENTIONAL);
  for (let i = 0; i < recorded; i++) bytes[i] = parseInt(config.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

function barOf({ i, start, end, flags }: PciRecord['resource'][number]): BarSpec {
  const bits = Number(flags);
  return {
    index: i,
    sizeBytes: Number(end) - Number(start) + 1,
    space: bits & IORESOURCE.IO ? 'io' : 'memory',
    is64: (bits & IORESOURCE.MEM) !== 0 && Base_Address.Type(bits) === BASE_ADDRESS_TYPE.BITS_64,
    prefetchable: (bits & IORESOURCE.MEM) !== 0 && Base_Address.Prefetchable(bits) === 1,
  };
}

function resetHeader(config: ConfigSpace, nrBars: number): void {
  config.set(Command, 0);
  const events = Status.errors.mask | Status.Master_Data_Parity_Error.mask | Status.Interrupt_Status.mask;
  config.set(Status, config.get(Status) & ~events);
  config.set(Cache_Line_Size, 0);
  config.set(Interrupt_Line, 0);
  for (let i = 0; i < nrBars; i++) config.set(Base_Address, 0, 4 * i);
}

// The low bits of I/O and prefetchable windows say how wide they are, and stay.
function resetBridge(config: ConfigSpace): void {
  for (const register of [IO_Base, IO_Limit, Prefetchable_Memory_Base, Prefetchable_Memory_Limit])
    config.set(register, register.addressing(config.get(register)));
  const cleared = [
    Bus_Numbers,
    Memory_Base,
    Memory_Limit,
    Prefetchable_Base_Upper_32_Bits,
    Prefetchable_Limit_Upper_32_Bits,
    IO_Base_Upper_16_Bits,
    IO_Limit_Upper_16_Bits,
    Secondary_Status,
    Bridge_Control,
  ];
  for (const register of cleared) config.set(register, 0);
}

function resetMessages(config: ConfigSpace): void {
  const msi = findCapability(config, CAP_ID.MSI);
  if (msi !== undefined) resetMsi(config, msi);
  const msix = findCapability(config, CAP_ID.MSIX);
  if (msix !== undefined)
    config.set(
      MSIX_Message_Control,
      MSIX_Message_Control.Table_Size.mask & config.get(MSIX_Message_Control, msix),
      msix,
    );
  const acs = findExtendedCapability(config, EXT_CAP_ID.ACS);
  if (acs !== undefined) config.set(ACS.Control, 0, acs);
}

function resetMsi(config: ConfigSpace, at: number): void {
  const { MSI_Enable, Multiple_Message_Enable, Address_64bit_Capable, Per_Vector_Masking_Capable } =
    MSI_Message_Control;
  const control = config.get(MSI_Message_Control, at);
  const layout = MSI_LAYOUT[Address_64bit_Capable(control)];
  config.set(MSI_Message_Control, Multiple_Message_Enable.set(MSI_Enable.set(control, 0), 0), at);
  config.set(MSI_Message_Address, 0, at);
  if (Address_64bit_Capable(control)) config.set({ offset: MSI_Message_Address.offset + 4, size: 4 }, 0, at);
  config.set({ offset: layout.Message_Data, size: 2 }, 0, at);
  if (!Per_Vector_Masking_Capable(control)) return;
  config.set({ offset: layout.Mask_Bits, size: 4 }, 0, at);
  config.set({ offset: layout.Pending_Bits, size: 4 }, 0, at);
}
