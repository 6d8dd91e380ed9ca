// SPDX-License-Identifier: Apache-2.0
// A host: drivers probed over a bus, with the frameworks they use.

import type { Bus } from '../contracts/bus.js';
import type { Device } from '../contracts/device.js';
import { LinuxError } from '../contracts/errno.js';
import type { Firmware, FirmwareNode } from '../contracts/firmware.js';
import type { Driver, DriverEntry, Plugin } from '../contracts/plugin.js';
import { IommuCore } from '../iommu/iommu-core.js';
import type { IommuSettings } from '../iommu/default-domain.js';
import { IrqCore } from '../irq/irq-core.js';
import { DoorbellRegistry } from '../msi/doorbell-registry.js';
import { BUS, DEVICES, DEVRES, DOORBELLS, IOMMUS, IRQS, LOG, NODE, PROBE_CONTEXT } from '../tokens.js';
import type { DeviceList, HostLog, ProbeContext } from './contexts.js';
import type { Devres } from './devres.js';
import { indexEntries, matchEntry } from './match.js';
import { probeNodes, unprobe } from './prober.js';
import type { ProbeCandidate, Probed } from './prober.js';
import { Suppliers } from './suppliers.js';

export interface HostOptions {
  readonly firmware: Firmware;
  /** In any order: the nodes' `compatible` lists decide who drives what. */
  readonly plugins: readonly Plugin[];
  readonly bus: Bus;
  /** How devices behind IOMMUs are taken in. */
  readonly iommu?: IommuSettings;
  /** Called with each warning as it is recorded. */
  readonly onWarning?: (message: string) => void;
}

export interface Host {
  readonly irqs: IrqCore;
  readonly doorbells: DoorbellRegistry;
  readonly iommus: IommuCore;
  readonly devices: DeviceList;
  readonly log: HostLog;
  /** In the order of probing. */
  readonly drivers: readonly Probed<Driver>[];
  /** Undoes every probe, last first, and stops taking interrupts. A second call does nothing. @throws AggregateError */
  teardown(): void;
}

/**
 * Probes what the plugins can drive.
 * @throws LinuxError EEXIST for two claims on one `compatible`, EPROBE_DEFER with the list of who waits for what; whatever
 * a driver throws. Everything is undone before.
 */
export function createHost(options: HostOptions): Host {
  const { bus, firmware } = options;
  const log = new WarningLog(options.onWarning);
  const candidates = driverCandidates(firmware, options.plugins);
  const waiting = new Set<FirmwareNode>(candidates.map(({ node }) => node));
  const mayCome = (node: FirmwareNode): boolean => waiting.has(node);
  const irqs = new IrqCore(bus.cpus, log, mayCome);
  const doorbells = new DoorbellRegistry(bus.cpus.count);
  const iommus = new IommuCore({ firmware, log, mayCome, settings: options.iommu });
  const devices = new NamedDevices();
  const suppliers = new Suppliers(mayCome);
  const contextOf = (node: FirmwareNode, devres: Devres): ProbeContext => ({
    node,
    bus,
    devres,
    irqs,
    doorbells,
    iommus,
    devices,
    log,
    provide: (token, service) => devres.add(suppliers.provide(node, token, service)),
    supplier: (supplying, token) => suppliers.require(supplying, token),
    ioremap(index) {
      const region = bus.map(node.reg(index));
      devres.add(() => bus.unmap(region));
      return region;
    },
  });
  let drivers: readonly Probed<Driver>[];
  try {
    drivers = probeNodes<Driver, ProbeContext>({
      candidates,
      contextOf,
      tokens: MEMBER_TOKENS,
      contextToken: PROBE_CONTEXT,
      onProbed: ({ node }) => waiting.delete(node),
    });
  } catch (error) {
    irqs.detach();
    throw error;
  }
  let live = true;
  return {
    irqs,
    doorbells,
    iommus,
    devices,
    log,
    drivers,
    teardown() {
      if (!live) return;
      live = false;
      try {
        unprobe(drivers);
      } finally {
        irqs.detach();
      }
    },
  };
}

const MEMBER_TOKENS = [
  [NODE, 'node'],
  [BUS, 'bus'],
  [DEVRES, 'devres'],
  [IRQS, 'irqs'],
  [DOORBELLS, 'doorbells'],
  [IOMMUS, 'iommus'],
  [DEVICES, 'devices'],
  [LOG, 'log'],
] as const;

// Controllers come before the buses whose devices use them, which saves most retries.
function driverCandidates(firmware: Firmware, plugins: readonly Plugin[]): ProbeCandidate<Driver, ProbeContext>[] {
  const kinds = ['irqChips', 'iommus', 'buses'] as const;
  const index = indexEntries(plugins, (plugin) => kinds.flatMap((kind) => plugin[kind] ?? []));
  const found = firmware.nodes
    .filter((node) => node.available)
    .flatMap((node) => {
      const claim = matchEntry<DriverEntry>(node, index);
      return claim ? [{ node, plugin: claim.plugin, maker: claim.entry }] : [];
    });
  const kindOf = (entry: unknown): number =>
    kinds.findIndex((kind) => plugins.some((plugin) => plugin[kind]?.some((known) => known === entry)));
  return found.sort((a, b) => kindOf(a.maker) - kindOf(b.maker));
}

class WarningLog implements HostLog {
  readonly #warnings: string[] = [];
  readonly #listener: ((message: string) => void) | undefined;

  constructor(listener?: (message: string) => void) {
    this.#listener = listener;
  }

  get warnings(): readonly string[] {
    return this.#warnings;
  }

  warn(message: string): void {
    this.#warnings.push(message);
    this.#listener?.(message);
  }
}

class NamedDevices implements DeviceList {
  readonly #devices = new Map<string, Device>();

  get all(): readonly Device[] {
    return [...this.#devices.values()];
  }

  find(name: string): Device | undefined {
    return this.#devices.get(name);
  }

  add(device: Device): () => void {
    if (this.#devices.has(device.name)) throw new LinuxError('EEXIST', `${device.name}: there is one already`);
    this.#devices.set(device.name, device);
    return () => void this.#devices.delete(device.name);
  }
}
