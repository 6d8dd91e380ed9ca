// SPDX-License-Identifier: Apache-2.0
// How large a bridge's windows must be for what lies behind it. Linux 6.1 drivers/pci/setup-bus.c (behaviour), but a window
// is always aligned to the largest thing in it.

import { alignUp } from '@irqkit/bits';
import { CLASS_CODE, WINDOW_GRAIN } from '../regs.js';
import type { PciBus } from './pci-bus.js';
import type { PciDevice } from './pci-device.js';
import type { BridgeWindow, ResourceKind } from './pci-resource.js';

/** What a hot-plug slot is given although nothing is in it. @linux pci_hotplug_io_size, pci_hotplug_mmio_size */
const HOT_PLUG_RESERVE = { io: 256, memory: 0x20_0000 } as const;

/** One thing that needs addresses: a BAR, or the window of a bridge. */
export interface Need extends ResourceKind {
  /** `0000:00:02.0 BAR 1` */
  readonly what: string;
  readonly sizeBytes: number;
  /** At least `sizeBytes`: asked for first. */
  readonly wantedBytes: number;
  readonly align: number;
  place(address: number, takenBytes: number): void;
}

/** What the functions on `bus` need, BARs before windows, function by function. @linux pdev_sort_resources */
export function needsOf(bus: PciBus): Need[] {
  return bus.devices.flatMap((device) => [...barNeeds(device), ...windowNeeds(device)]);
}

// A host bridge's BARs are its own affair: they are not moved. @linux __dev_sort_resources
function barNeeds({ name, classCode, bars }: PciDevice): Need[] {
  if (classCode >>> 8 === CLASS_CODE.HOST_BRIDGE >>> 8) return [];
  return bars.map((bar) => ({
    ...bar,
    what: `${name} BAR ${bar.index}`,
    wantedBytes: bar.sizeBytes,
    align: bar.sizeBytes,
    place: (address) => {
      bar.address = address;
    },
  }));
}

function windowNeeds({ name, bridgeWindows }: PciDevice): Need[] {
  return bridgeWindows
    .filter(({ wantedBytes }) => wantedBytes > 0)
    .map((window) => ({
      ...window,
      what: `${name} ${window.prefetchable ? 'prefetchable ' : ''}${window.space} window`,
      place: (address, takenBytes) => {
        window.address = address;
        window.takenBytes = takenBytes;
      },
    }));
}

/** Sizes the windows of every bridge, innermost first; `buses` are in enumeration's order. @linux pci_bus_size_bridges */
export function sizeWindows(buses: readonly PciBus[]): void {
  for (const bus of [...buses].reverse()) {
    const { bridge } = bus;
    if (!bridge) continue;
    const needs = needsOf(bus);
    const isHotPlug = bridge.isHotPlug;
    for (const window of bridge.bridgeWindows) {
      const inside = needs.filter((need) => windowFor(bridge.bridgeWindows, need) === window);
      const grain = window.space === 'io' ? WINDOW_GRAIN.IO : WINDOW_GRAIN.MEMORY;
      const reserve = isHotPlug ? HOT_PLUG_RESERVE[window.space] : 0;
      const sum = (key: 'sizeBytes' | 'wantedBytes'): number =>
        inside.reduce<number>((total, need) => total + need[key], 0);
      window.align = inside.reduce<number>((align, need) => Math.max(align, need.align), grain);
      window.sizeBytes = alignUp(sum('sizeBytes'), window.align);
      window.wantedBytes = alignUp(Math.max(sum('wantedBytes'), reserve), window.align);
    }
  }
}

/** 64-bit prefetchable space goes into a prefetchable window, 32-bit into one that is no wider, everything else into the other. */
function windowFor(windows: readonly BridgeWindow[], need: ResourceKind): BridgeWindow | undefined {
  const same = windows.filter(({ space }) => space === need.space);
  const fits = same.find(({ prefetchable, is64 }) => prefetchable && need.prefetchable && (need.is64 || !is64));
  return fits ?? same.find(({ prefetchable }) => !prefetchable);
}
