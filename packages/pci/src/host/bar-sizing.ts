// SPDX-License-Identifier: Apache-2.0
// What address space a function asks for. PCI Express Base Specification 7.5.1.2.1 and 7.5.1.3; Linux 6.1 drivers/pci/probe.c
// (behaviour).

import {
  BASE_ADDRESS_TYPE,
  Base_Address,
  Command,
  IO_Base,
  NR_BASE_ADDRESSES,
  Prefetchable_Memory_Base,
  WINDOW_ADDRESSING,
} from '../regs.js';
import type { FunctionConfig } from './function-config.js';
import type { BridgeWindow, PciBar, ResourceKind } from './pci-resource.js';

const ONES = 0xffff_ffff;

// UNIMP: expansion ROM
/** Sizes every BAR, with decoding off meanwhile. @linux pci_read_bases */
export function sizeBars(config: FunctionConfig, isBridge: boolean): PciBar[] {
  const command = config.get(Command);
  const { IO_Space_Enable, Memory_Space_Enable } = Command;
  config.set(Command, Memory_Space_Enable.set(IO_Space_Enable.set(command, 0), 0));
  const bars: PciBar[] = [];
  const nr = isBridge ? NR_BASE_ADDRESSES.BRIDGE : NR_BASE_ADDRESSES.NORMAL;
  for (let index = 0; index < nr; index++) {
    const bar = sizeBar(config, index);
    if (bar) bars.push(bar);
    if (bar?.is64) index++;
  }
  config.set(Command, command);
  return bars;
}

function sizeBar(config: FunctionConfig, index: number): PciBar | undefined {
  const low = probe(config, 4 * index);
  if (low === 0 || low === ONES) return undefined;
  if (Base_Address.IO_Space(low)) {
    // A device may leave the upper 16 bits of an I/O address unimplemented.
    const mask = Base_Address.io.mask & low;
    const sizeBytes = lowestBit(mask);
    return { index, sizeBytes, space: 'io', is64: false, prefetchable: false, address: undefined };
  }
  const is64 = Base_Address.Type(low) === BASE_ADDRESS_TYPE.BITS_64;
  const prefetchable = Base_Address.Prefetchable(low) === 1;
  const lowSize = lowestBit(Base_Address.memory.mask & low);
  const sizeBytes = lowSize || (is64 ? lowestBit(probe(config, 4 * index + 4)) * 2 ** 32 : 0);
  return sizeBytes === 0 ? undefined : { index, sizeBytes, space: 'memory', is64, prefetchable, address: undefined };
}

/** What a register answers after ones were written to it; it is left as it was. */
function probe(config: FunctionConfig, base: number): number {
  const before = config.get(Base_Address, base);
  config.set(Base_Address, ONES, base);
  const answer = config.get(Base_Address, base);
  config.set(Base_Address, before, base);
  return answer;
}

function lowestBit(mask: number): number {
  return (mask & -mask) >>> 0;
}

const MEMORY_WINDOW: ResourceKind = { space: 'memory', is64: false, prefetchable: false };

/** The windows a bridge has, closed, in the order Linux numbers them: I/O, memory, prefetchable. @linux pci_read_bridge_windows */
export function bridgeWindows(config: FunctionConfig): BridgeWindow[] {
  const windows: BridgeWindow[] = [];
  if (probeWindow(config, { offset: IO_Base.offset, size: 2 }, 0xe0f0) !== 0)
    windows.push(closed({ space: 'io', is64: false, prefetchable: false }));
  windows.push(closed(MEMORY_WINDOW));
  const prefetchable = probeWindow(config, { offset: Prefetchable_Memory_Base.offset, size: 4 }, 0xffe0_fff0);
  if (prefetchable !== 0) {
    const is64 = Prefetchable_Memory_Base.addressing(prefetchable) === WINDOW_ADDRESSING.MEMORY_64;
    windows.push(closed({ space: 'memory', is64, prefetchable: true }));
  }
  return windows;
}

// Zero may be a window's present setting: it is there when its registers take another.
function probeWindow(config: FunctionConfig, register: { offset: number; size: 2 | 4 }, trial: number): number {
  const before = config.get(register);
  if (before !== 0) return before;
  config.set(register, trial);
  const answer = config.get(register);
  config.set(register, 0);
  return answer;
}

function closed(kind: ResourceKind): BridgeWindow {
  return { ...kind, sizeBytes: 0, wantedBytes: 0, align: 1, address: undefined, takenBytes: 0 };
}
