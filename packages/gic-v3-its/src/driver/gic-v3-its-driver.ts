// SPDX-License-Identifier: Apache-2.0
// The driver of one ITS: what Linux 6.1's irq-gic-v3-its.c does with it. IHI 0069, chapter 5.

import {
  IRQ_DOMAIN_FLAG,
  LinuxError,
  PROBE_CONTEXT,
  REDISTRIBUTORS,
  inject,
  injectable,
  OwnedMemory,
} from '@irqkit/core';
import type { FirmwareNode, IrqDomain, MmioRegion, PhysAddr, ProbeContext, Redistributors } from '@irqkit/core';
import { itsDoorbell } from '../description/gic-v3-its-description.js';
import { PRE_ITS_STRIDE, preItsOf } from '../description/pre-its.js';
import { Collections, checkCollections, rdbaseOf } from './collections.js';
import { CommandQueue } from './command-queue.js';
import { DeviceTable } from './device-table.js';
import { GicLpis } from './gic-lpis.js';
import { bringUp, followProcessors } from './hotplug.js';
import { itsChip, setPending } from './its-chip.js';
import type { ItsDoorbell } from './its-chip.js';
import { checkIdentity, enable, forgetQueue, forgetTables, quiesce } from './its-control.js';
import { ItsDevices } from './its-devices.js';
import { ItsDomainOps } from './its-domain.js';
import type { ItsParts } from './its-domain.js';
import { setUpTables } from './its-table.js';
import { readFeatures } from './its-unit.js';
import type { ItsFeatures, ItsUnit } from './its-unit.js';

/** Under this token the GIC's node leads to the domain of its first ITS: what ITSs share is found there. */
const SHARED = 'gic-v3-its';

/**
 * Brings the ITS up, registers its doorbell and makes its node's `msi-parent` domain. The first ITS of a GIC also gives the
 * redistributors their LPI tables.
 * @throws LinuxError EPROBE_DEFER before its GIC is there, ENODEV for what is no ITS or has no `msi-controller`, ETIMEDOUT where
 * it does not become quiescent, ENXIO, ENOSPC or ENOMEM for its tables, EEXIST where its doorbell overlaps another
 */
@injectable()
export class GicV3ItsDriver {
  readonly domain: IrqDomain;
  readonly #parts: ItsParts;

  constructor(@inject(PROBE_CONTEXT) context: ProbeContext) {
    const { node, bus, devres, doorbells, irqs, log } = context;
    const gic = node.interruptParent ?? node.parent;
    if (!gic || !node.has('msi-controller'))
      throw new LinuxError('ENODEV', `${node.path}: is no msi-controller of a GIC`);
    const parent = irqs.requireDomain(gic, 'wired');
    const redistributors = context.supplier(gic, REDISTRIBUTORS);
    const shared = irqs.findDomain(gic, SHARED);
    const lpis = shared?.ops instanceof ItsDomainOps ? shared.ops.lpis : takeLpis(context, redistributors);
    const unit = takeUnit(context);
    const tables = setUpTables(unit, bus.cpus.count);
    checkCollections(unit, bus.cpus.count, tables.collections !== undefined);
    const queue = new CommandQueue(unit, irqs, rdbaseOf(unit.features, redistributors.byCpu[0]));
    enable(unit.registers);
    const collections = new Collections(unit, queue, redistributors, bus.cpus);
    const devices = new ItsDevices(unit, queue, new DeviceTable(unit, tables.devices), lpis);
    this.#parts = { path: node.path, queue, collections, devices, lpis };
    for (const cpu of redistributors.online) bringUp(this.#parts, cpu);

    const handle = doorbells.register(itsDoorbell(node));
    devres.add(() => doorbells.unregister(handle));
    const doorbell: ItsDoorbell = { info: handle.info, addressFor: addressing(node, handle.info) };
    const ops = new ItsDomainOps(this.#parts, itsChip(this.#parts, doorbell));
    this.domain = irqs.createDomain({
      name: node.path,
      node,
      busToken: 'msi-parent',
      parent,
      ops,
      flags: preItsOf(node) ? 0 : IRQ_DOMAIN_FLAG.ISOLATED_MSI,
      doorbells: () => [handle.info],
      msiParent: ops,
    });
    devres.add(() => irqs.removeDomain(this.domain));
    if (!shared) irqs.aliasDomain(gic, SHARED, this.domain);
    devres.add(followProcessors(this.#parts, this.domain, redistributors, log));
  }

  /**
   * Makes an interrupt of this ITS pending, or no longer so.
   * @throws LinuxError EINVAL for an interrupt that is not this ITS's or not activated; EIO, ETIMEDOUT
   * @linux irq_set_irqchip_state
   */
  setPending(virq: number, pending: boolean): void {
    setPending(this.#parts, this.domain.irqData(virq), pending);
  }
}

/** Maps an ITS, disabled and without tables. What it is given goes back when it is disabled again. */
function takeUnit(context: ProbeContext): ItsUnit {
  const { node, bus, devres, log } = context;
  const registers = context.ioremap(0);
  checkIdentity(node.path, registers);
  quiesce(node.path, registers);
  forgetTables(registers);
  const memory = new OwnedMemory(node.path, bus.memory);
  devres.add(() => letGo(context, registers, memory));
  return { path: node.path, registers, memory, features: featuresOf(node, registers), log };
}

/** CHOICE: an ITS that does not become quiescent keeps its memory: it may still write there. */
function letGo({ node, log }: ProbeContext, registers: MmioRegion, memory: OwnedMemory): void {
  try {
    quiesce(node.path, registers);
  } catch (error) {
    if (!LinuxError.is(error)) throw error;
    log.warn(`${error.message}: ${memory.sizeBytes} bytes stay allocated`);
    return;
  }
  forgetTables(registers);
  forgetQueue(registers);
  memory.freeAll();
}

/** A pre-ITS's window may reach fewer DeviceIDs. @linux its_enable_quirk_socionext_synquacer */
function featuresOf(node: FirmwareNode, registers: MmioRegion): ItsFeatures {
  const features = readFeatures(node.path, registers);
  const window = preItsOf(node);
  if (!window) return features;
  const windowBits = Math.floor(Math.log2(window.sizeBytes / PRE_ITS_STRIDE));
  return { ...features, deviceIdBits: Math.min(features.deviceIdBits, windowBits) };
}

function takeLpis({ node, bus, devres, log }: ProbeContext, redistributors: Redistributors): GicLpis {
  const memory = new OwnedMemory(node.path, bus.memory);
  try {
    const lpis = new GicLpis({ path: node.path, memory, cpus: bus.cpus, log, redistributors });
    devres.add(() => lpis.release());
    return lpis;
  } catch (error) {
    memory.freeAll();
    throw error;
  }
}

/** @linux its_irq_get_msi_base, its_irq_get_msi_base_pre_its */
function addressing(node: FirmwareNode, info: ReturnType<typeof itsDoorbell>): (deviceId: number) => PhysAddr {
  const base = 'globalDoorbell' in info ? info.globalDoorbell : info.percpuDoorbells[0];
  if (!preItsOf(node)) return () => base;
  return (deviceId) => (base + deviceId * PRE_ITS_STRIDE) as PhysAddr;
}
