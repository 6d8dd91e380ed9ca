// SPDX-License-Identifier: Apache-2.0
// Gives every BAR and bridge window an address, outermost bus first, largest alignment first. Linux 6.1
// drivers/pci/setup-bus.c (behaviour): addresses come out as Linux assigns them.

import { highWord, lowWord } from '@irqkit/bits';
import {
  Base_Address,
  IO_Base,
  IO_Base_Upper_16_Bits,
  Memory_Base,
  Prefetchable_Base_Upper_32_Bits,
  Prefetchable_Limit_Upper_32_Bits,
  Prefetchable_Memory_Base,
} from '../regs.js';
import { AddressPool, takeAddress } from './address-pool.js';
import type { PciBus } from './pci-bus.js';
import type { PciDevice } from './pci-device.js';
import type { BridgeWindow } from './pci-resource.js';
import { needsOf, sizeWindows } from './window-sizing.js';
import type { Need } from './window-sizing.js';

// Base above limit: a window that forwards nothing.
const CLOSED = { io: 0x00f0, memory: 0x0000_fff0 } as const;

/** `pools`: the host bridge's windows. What finds no place is warned of and left out. @linux pci_assign_unassigned_root_bus_resources */
export function assignAddresses(
  buses: readonly PciBus[],
  pools: readonly AddressPool[],
  warn: (message: string) => void,
): void {
  sizeWindows(buses);
  for (const bus of buses) assignBus(bus, bus.bridge ? windowPools(bus.bridge) : pools, warn);
  for (const { bridge } of buses) if (bridge) openWindows(bridge);
}

function assignBus(bus: PciBus, pools: readonly AddressPool[], warn: (message: string) => void): void {
  for (const need of needsOf(bus).sort((a, b) => b.align - a.align))
    if (!place(need, pools, need.wantedBytes) && !place(need, pools, need.sizeBytes) && need.sizeBytes > 0)
      warn(`${need.what}: no space for ${need.sizeBytes} bytes`);
  for (const device of bus.devices) writeBars(device);
}

function place(need: Need, pools: readonly AddressPool[], sizeBytes: number): boolean {
  const address = sizeBytes > 0 ? takeAddress(pools, need, sizeBytes, need.align) : undefined;
  if (address !== undefined) need.place(address, sizeBytes);
  return address !== undefined;
}

function windowPools(bridge: PciDevice): AddressPool[] {
  return bridge.bridgeWindows.flatMap((window) =>
    window.address === undefined
      ? []
      : [new AddressPool(window, window.address, window.address + window.takenBytes - 1)],
  );
}

/** @linux pci_std_update_resource */
function writeBars(device: PciDevice): void {
  for (const { index, address, is64 } of device.bars) {
    if (address === undefined) continue;
    device.config.set(Base_Address, lowWord(address), 4 * index);
    if (is64) device.config.set(Base_Address, highWord(address), 4 * index + 4);
  }
}

/** @linux pci_setup_bridge */
function openWindows(bridge: PciDevice): void {
  for (const window of bridge.bridgeWindows)
    if (window.space === 'io') openIo(bridge, window);
    else if (window.prefetchable) openPrefetchable(bridge, window);
    else bridge.config.set({ offset: Memory_Base.offset, size: 4 }, memoryPair(window));
}

/** Base in the lower half, limit in the upper: address bits [31:20] of each. */
function memoryPair({ address, takenBytes }: BridgeWindow): number {
  if (address === undefined) return CLOSED.memory;
  const half = (value: number): number => Math.floor(lowWord(value) / 0x10_0000) * 16;
  return half(address) + half(address + takenBytes - 1) * 0x1_0000;
}

function openIo({ config }: PciDevice, { address, takenBytes }: BridgeWindow): void {
  const pair = { offset: IO_Base.offset, size: 2 } as const;
  const upper = { offset: IO_Base_Upper_16_Bits.offset, size: 4 } as const;
  if (address === undefined) {
    config.set(pair, CLOSED.io);
    config.set(upper, 0);
    return;
  }
  const last = address + takenBytes - 1;
  const byte = (value: number): number => Math.floor((value % 0x1_0000) / 0x1000) * 16;
  config.set(pair, byte(address) + byte(last) * 256);
  config.set(upper, Math.floor(address / 0x1_0000) + Math.floor(last / 0x1_0000) * 0x1_0000);
}

// The upper limit goes to zero first: the window is closed while its halves change.
function openPrefetchable({ config }: PciDevice, window: BridgeWindow): void {
  const { address = 0, takenBytes } = window;
  const last = window.address === undefined ? 0 : address + takenBytes - 1;
  if (window.is64) config.set(Prefetchable_Limit_Upper_32_Bits, 0);
  config.set({ offset: Prefetchable_Memory_Base.offset, size: 4 }, memoryPair(window));
  if (!window.is64) return;
  config.set(Prefetchable_Base_Upper_32_Bits, highWord(address));
  config.set(Prefetchable_Limit_Upper_32_Bits, highWord(last));
}
