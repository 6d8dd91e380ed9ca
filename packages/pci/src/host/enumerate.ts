// SPDX-License-Identifier: Apache-2.0
// Finds every function, depth first, and numbers the buses on the way. Linux 6.1 drivers/pci/probe.c (behaviour).
// UNIMP: alternative routing-ID interpretation
// UNIMP: SR-IOV

import { ABSENT, Bus_Numbers, HEADER_LAYOUT, Header_Type, Vendor_ID } from '../regs.js';
import type { PciBus } from './pci-bus.js';
import { PciDevice } from './pci-device.js';
import type { PciHostBridge } from './pci-host-bridge.js';

const DEVICES_PER_BUS = 32;
const FUNCTIONS_PER_DEVICE = 8;

/** All buses, each before those behind it, in the order of their numbers. @linux pci_scan_root_bus_bridge */
export function enumerate(host: PciHostBridge): readonly PciBus[] {
  const buses: PciBus[] = [];
  scanBus(host, { number: host.ecam.firstBus, bridge: undefined, devices: [] }, buses);
  return buses;
}

/** The highest bus number behind `bus`. @linux pci_scan_child_bus */
function scanBus(host: PciHostBridge, bus: PciBus & { devices: PciDevice[] }, buses: PciBus[]): number {
  buses.push(bus);
  const nrDevices = bus.bridge?.hasOneChild ? 1 : DEVICES_PER_BUS;
  for (let device = 0; device < nrDevices; device++) bus.devices.push(...scanDevice(host, bus, device));
  const bridges = bus.devices.filter((device) => device.isBridge);
  for (const bridge of bridges) closeBridge(bridge);
  let last = bus.number;
  for (const bridge of bridges) last = scanBridge(host, bus, bridge, last, buses);
  return last;
}

/** @linux pci_scan_slot */
function scanDevice(host: PciHostBridge, bus: PciBus, device: number): PciDevice[] {
  const first = scanFunction(host, bus, device * FUNCTIONS_PER_DEVICE);
  if (!first) return [];
  const functions = [first];
  if (!Header_Type.Multi_Function_Device(first.config.get(Header_Type))) return functions;
  for (let fn = 1; fn < FUNCTIONS_PER_DEVICE; fn++) {
    const found = scanFunction(host, bus, device * FUNCTIONS_PER_DEVICE + fn);
    if (found) functions.push(found);
  }
  return functions;
}

/** @linux pci_scan_single_device, pci_setup_device */
function scanFunction(host: PciHostBridge, bus: PciBus, devfn: number): PciDevice | undefined {
  const { ecam } = host;
  const ids = ecam.read(bus.number, devfn, Vendor_ID.offset, 4);
  if (ids === ABSENT || ids === 0 || ids === 0xffff || ids === 0xffff_0000) return undefined;
  const layout = Header_Type.Header_Layout(ecam.read(bus.number, devfn, Header_Type.offset, Header_Type.size));
  if (layout === HEADER_LAYOUT.NORMAL || layout === HEADER_LAYOUT.BRIDGE)
    return new PciDevice(host, bus.number, devfn, bus.bridge);
  host.warn(`${host.node.path}: function ${bus.number}:${devfn} has header layout ${layout}: ignored`);
  return undefined;
}

// No bridge may forward by numbers left from an earlier life while others get theirs.
function closeBridge(bridge: PciDevice): void {
  const numbers = bridge.config.get(Bus_Numbers);
  const { Secondary_Latency_Timer } = Bus_Numbers;
  bridge.config.set(Bus_Numbers, Secondary_Latency_Timer.set(0, Secondary_Latency_Timer(numbers)));
}

/** @linux pci_scan_bridge */
function scanBridge(host: PciHostBridge, bus: PciBus, bridge: PciDevice, last: number, buses: PciBus[]): number {
  const { lastBus } = host.ecam;
  if (last >= lastBus) {
    host.warn(`${bridge.name}: no bus number is left for what is behind it`);
    return last;
  }
  const number = last + 1;
  setBusNumbers(bridge, bus.number, number, lastBus);
  const subordinate = scanBus(host, { number, bridge, devices: [] }, buses);
  setBusNumbers(bridge, bus.number, number, subordinate);
  return subordinate;
}

function setBusNumbers(bridge: PciDevice, primary: number, secondary: number, subordinate: number): void {
  bridge.secondaryBus = secondary;
  bridge.subordinateBus = subordinate;
  const { Primary, Secondary, Subordinate } = Bus_Numbers;
  const numbers = Primary.set(bridge.config.get(Bus_Numbers), primary);
  bridge.config.set(Bus_Numbers, Subordinate.set(Secondary.set(numbers, secondary), subordinate));
}
