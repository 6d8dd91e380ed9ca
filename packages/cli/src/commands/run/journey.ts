// SPDX-License-Identifier: Apache-2.0
// The main job on a platform of firmware alone: hardware is built, a host probed on it, every endpoint's vectors enabled, and
// each fired once.

import { createBoard } from '@irqkit/board';
import type { Board } from '@irqkit/board';
import { DoorbellRegistry, createHost, doorbellBases, formatProcInterrupts, interruptRows } from '@irqkit/core';
import type { Firmware, Host, IrqData, MsiDesc, Plugin } from '@irqkit/core';
import { PciHostDriver } from '@irqkit/pci/host';
import type { PciDevice } from '@irqkit/pci/host';
import { PciHostModel } from '@irqkit/pci/model';
import type { PciFunctionModel, PciSlot } from '@irqkit/pci/model';
import { PLUGINS } from '../../plugins.js';
import { checkPlatform } from './check-platform.js';
import { defaultSlots } from './default-slots.js';
import { enableVectors } from './enable-vectors.js';
import type { EnabledVectors } from './enable-vectors.js';
import { forgeMessage } from './forge.js';
import { iommuReport } from './iommu-report.js';
import type { DeviceReport, DoorbellReport, ForgedMessage, JourneyReport, MessageBlock } from './journey-report.js';
import { topologyOf } from './topology.js';

const PAGE_ORDER = 12;

export interface JourneyOptions {
  readonly firmware: Firmware;
  /** PLUGINS where it is left out. */
  readonly plugins?: readonly Plugin[];
  /** What is plugged into each host bridge; called once for each. */
  readonly slots?: () => readonly PciSlot[];
}

/**
 * @throws LinuxError, FirmwareError where the platform cannot be run: what createBoard and createHost throw, ENODEV where
 * nothing installed drives it
 */
export function journey(options: JourneyOptions): JourneyReport {
  const { firmware, plugins = PLUGINS, slots = defaultSlots } = options;
  const hosts = checkPlatform(firmware, plugins);
  const plugged = Object.fromEntries(hosts.map(({ path }) => [path, slots()]));
  const board = createBoard({ firmware, plugins, plugged });
  try {
    const host = createHost({ firmware, plugins, bus: board.bus });
    try {
      return travel(firmware, board, host);
    } finally {
      host.teardown();
    }
  } finally {
    board.dispose();
  }
}

/** An endpoint under way. */
interface Traveller {
  readonly device: PciDevice;
  readonly model: PciFunctionModel | undefined;
  readonly enabled: EnabledVectors;
}

function travel(firmware: Firmware, board: Board, host: Host): JourneyReport {
  const bridges = host.drivers.map(({ instance }) => instance).filter((driver) => driver instanceof PciHostDriver);
  const travellers = bridges.flatMap((bridge) => endpointsOf(bridge, board));
  const counts = listen(host, travellers);
  for (const { model, enabled } of travellers) enabled.virqs.forEach((_, index) => model?.raise(index));

  const devices = travellers.map((traveller) => deviceReport(host, traveller, counts));
  const warnings = [
    ...untranslated(bridges),
    ...host.log.warnings,
    ...board.log.entries.map(({ path, message }) => `${path}: ${message}`),
  ];
  const forged = forgeMessage(host, travellers);
  const vectors = devices.flatMap((device) => device.vectors);
  const vectorsDelivered = vectors.filter(({ delivered }) => delivered === 1).length;
  return {
    compatible: firmware.root.compatible,
    nrCpus: board.bus.cpus.count,
    hosts: bridges.map(topologyOf),
    devices,
    doorbells: doorbellReports(host),
    totalPages: host.doorbells.pages(PAGE_ORDER),
    safe: host.doorbells.safe(),
    interrupts: interruptRows(host.irqs),
    procInterrupts: formatProcInterrupts(host.irqs),
    vectorsEnabled: vectors.length,
    vectorsDelivered,
    forged,
    warnings,
    ok: vectorsDelivered === vectors.length && devices.every(({ mode }) => mode !== 'none') && isStopped(forged),
  };
}

function isStopped(forged: ForgedMessage | undefined): boolean {
  return !forged || (!forged.arrived && forged.faults.length > 0);
}

// UNIMP: platform devices
function endpointsOf(bridge: PciHostDriver, board: Board): Traveller[] {
  const model = board.models.get(bridge.node.path);
  const hostModel = model instanceof PciHostModel ? model : undefined;
  return bridge.devices
    .filter((device) => !device.isBridge)
    .map((device) => {
      device.enable();
      const [bus, slot, fn] = [Math.floor(device.id / 256), Math.floor(device.id / 8) % 32, device.id % 8];
      return { device, model: hostModel?.functionAt(bus, slot, fn), enabled: enableVectors(device) };
    });
}

/** Requests every vector, spread over the processors as drivers with queues do; answers deliveries by virq. */
function listen(host: Host, travellers: readonly Traveller[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  const handler = (virq: number): boolean => {
    counts.set(virq, (counts.get(virq) ?? 0) + 1);
    return true;
  };
  for (const { device, enabled } of travellers)
    enabled.virqs.forEach((virq, index) => {
      host.irqs.requestIrq(virq, handler, `${device.name}-${index}`);
      host.irqs.setAffinity(virq, [index % host.irqs.cpus.count]);
    });
  return counts;
}

function deviceReport(host: Host, { device, enabled }: Traveller, counts: ReadonlyMap<number, number>): DeviceReport {
  return {
    name: device.name,
    mode: enabled.mode,
    trouble: enabled.trouble,
    blocks: messageBlocks(host, device.msiDescs),
    vectors: enabled.virqs.map((virq, index) => ({ index, virq, delivered: counts.get(virq) ?? 0 })),
    iommu: iommuReport(host, device),
  };
}

function messageBlocks(host: Host, descs: readonly MsiDesc[]): MessageBlock[] {
  const blocks: { -readonly [Name in keyof MessageBlock]: MessageBlock[Name] }[] = [];
  for (const { device, index, nrVectors, virq, msg } of descs) {
    const firstIntid = intidOf(host.irqs.irqData(virq));
    const last = blocks.at(-1);
    const follows = last?.address === msg.address && last.firstData + last.nrVectors === msg.data;
    const goesOn = follows && last.firstIntid + last.nrVectors === firstIntid;
    if (last && goesOn && last.firstVector + last.nrVectors === index) last.nrVectors += nrVectors;
    else {
      const { address, data: firstData } = msg;
      blocks.push({ firstVector: index, nrVectors, address, deviceId: device.msiDeviceId, firstData, firstIntid });
    }
  }
  return blocks;
}

/** The number at the level nearest to the processors. */
function intidOf({ parent, hwirq }: IrqData): number {
  return parent ? intidOf(parent) : hwirq;
}

function doorbellReports({ doorbells, irqs }: Host): DoorbellReport[] {
  return doorbells.all.map((info) => {
    const alone = new DoorbellRegistry(irqs.cpus.count);
    alone.register(info);
    return {
      bases: doorbellBases(info),
      sizeBytes: info.sizeBytes,
      pages: alone.pages(PAGE_ORDER),
      isolated: info.irqRemapping,
    };
  });
}

/** Host bridges whose firmware names an IOMMU that nothing drives. */
function untranslated(bridges: readonly PciHostDriver[]): string[] {
  return bridges.flatMap(({ node, devices }) => {
    const iommu = devices.find(({ iommuIds }) => iommuIds.length > 0)?.iommuIds[0].controller;
    if (!iommu || devices.some(({ iommuGroup }) => iommuGroup)) return [];
    return [`${node.path}: nothing drives ${iommu.compatible.join(', ')} (${iommu.path}): messages go untranslated`];
  });
}
