// SPDX-License-Identifier: Apache-2.0
// Whether the plugins can take a platform's messages from a PCI function to a processor, before anything is built.

import { LinuxError, indexEntries, matchEntry } from '@irqkit/core';
import type { ClaimIndex, DriverEntry, Firmware, FirmwareNode, ModelEntry, Plugin } from '@irqkit/core';
import { PciHostDriver } from '@irqkit/pci/host';

/** A requester id in the middle of a root bus: the host bridge itself may be left out of a map. */
const SOME_DEVFN = 0x08;

interface Claims {
  readonly drivers: ClaimIndex<DriverEntry>;
  readonly models: ClaimIndex<ModelEntry>;
}

/**
 * The PCI host bridges that can be run.
 * @throws LinuxError ENODEV where there is none, where one has no MSI controller, or where nothing installed drives and
 * models a controller on the way; FirmwareError
 */
export function checkPlatform(firmware: Firmware, plugins: readonly Plugin[]): readonly FirmwareNode[] {
  const claims: Claims = {
    drivers: indexEntries(plugins, ({ irqChips = [], buses = [] }) => [...irqChips, ...buses]),
    models: indexEntries(plugins, ({ models }) => models),
  };
  const hosts = firmware.nodes.filter((node) => isReachable(node) && isPciHost(node, claims));
  if (hosts.length === 0)
    throw new LinuxError('ENODEV', `no PCI host bridge that an installed plugin drives (${known(plugins)})`);
  for (const host of hosts) checkControllers(host, claims);
  return hosts;
}

function isPciHost(node: FirmwareNode, { drivers, models }: Claims): boolean {
  const entry = matchEntry(node, drivers)?.entry;
  return entry !== undefined && 'useClass' in entry && entry.useClass === PciHostDriver && !!matchEntry(node, models);
}

function isReachable(node: FirmwareNode): boolean {
  return node.available && (node.parent === undefined || isReachable(node.parent));
}

function known(plugins: readonly Plugin[]): string {
  return plugins.flatMap(({ buses = [] }) => buses.flatMap((entry) => entry.compatible)).join(', ');
}

function checkControllers(host: FirmwareNode, claims: Claims): void {
  const [firstBus = 0] = host.u32s('bus-range') ?? [];
  const msi = host.mapId('msi', firstBus * 256 + SOME_DEVFN)?.controller;
  if (!msi)
    throw new LinuxError('ENODEV', `${host.path}: no MSI controller: neither msi-map nor msi-parent leads to one`);
  const chain = [msi, ...controllersAbove(msi)];
  const missing = chain.filter((node) => !matchEntry(node, claims.drivers) || !matchEntry(node, claims.models));
  if (missing.length === 0) return;
  const list = missing.map((node) => `${node.compatible.join(', ')} (${node.path})`).join('; ');
  throw new LinuxError('ENODEV', `${host.path}: no installed plugin drives and models ${list}`);
}

/** The interrupt controllers from a node to the root of the interrupt tree. */
function controllersAbove(node: FirmwareNode): FirmwareNode[] {
  const above: FirmwareNode[] = [];
  for (let next = parentOf(node); next && !above.includes(next); next = parentOf(next)) above.push(next);
  return above;
}

// An MSI frame within a controller's node need not name it.
function parentOf(node: FirmwareNode): FirmwareNode | undefined {
  const parent = node.interruptParent ?? (node.parent?.has('interrupt-controller') ? node.parent : undefined);
  return parent === node ? undefined : parent;
}
