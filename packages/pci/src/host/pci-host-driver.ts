// SPDX-License-Identifier: Apache-2.0
// The generic ECAM host bridge. Devicetree: pci/host-generic-pci.yaml; Linux 6.1 drivers/pci/controller/pci-host-common.c
// (behaviour).
// UNIMP: ECAM hosts other than generic
// UNIMP: `dma-ranges` of a host bridge

import { LinuxError, PROBE_CONTEXT, inject, injectable, iova, physAddr } from '@irqkit/core';
import type {
  AddressRange,
  Bus,
  FirmwareNode,
  IommuCore,
  IovaRange,
  IrqCore,
  PhysAddr,
  ProbeContext,
} from '@irqkit/core';
import { PHYS_HI, PHYS_HI_SPACE, ROUTING_ID } from '../regs.js';
import { AddressPool } from './address-pool.js';
import { assignAddresses } from './assign.js';
import { Ecam } from './ecam.js';
import { enumerate } from './enumerate.js';
import { aliasVectorCounts } from './msi-vector-count.js';
import type { PciBus } from './pci-bus.js';
import type { PciDevice } from './pci-device.js';
import type { PciHostBridge } from './pci-host-bridge.js';
import { PciMsiDomains } from './pci-msi-domains.js';

@injectable()
export class PciHostDriver implements PciHostBridge {
  readonly node: FirmwareNode;
  readonly domain: number;
  readonly ecam: Ecam;
  readonly bus: Bus;
  readonly irqs: IrqCore;
  readonly iommus: IommuCore;
  /** In the order of their numbers. */
  readonly buses: readonly PciBus[];
  readonly #context: ProbeContext;
  /** By bus and device. */
  readonly #slots = new Map<number, PciDevice[]>();

  /**
   * Finds and numbers everything, assigns addresses, and adds each function to the host's devices.
   * @throws LinuxError EPROBE_DEFER, ENODEV for an MSI controller; EPROBE_DEFER for an IOMMU; EINVAL for a node whose ECAM or `bus-range` cannot be
   */
  constructor(@inject(PROBE_CONTEXT) context: ProbeContext) {
    const { node, bus, irqs, iommus, devres } = context;
    this.#context = context;
    this.node = node;
    this.bus = bus;
    this.irqs = irqs;
    this.iommus = iommus;
    this.domain = node.u32('linux,pci-domain') ?? firstFreeDomain(context);
    this.ecam = this.#mapEcam();
    this.buses = enumerate(this);
    const devices = this.devices;
    for (const device of devices) this.#slots.set(slotNumber(device.id), [...this.slotOf(device.id), device]);
    this.#findMsiDomains(devices);
    for (const { iommuIds } of devices) for (const { controller } of iommuIds) iommus.awaitIommu(controller);
    assignAddresses(this.buses, hostPools(node.ranges), (message) => this.warn(message));
    for (const device of devices) {
      devres.add(context.devices.add(device));
      devres.add(() => shutDown(device));
    }
  }

  /** Every function, bus by bus. */
  get devices(): readonly PciDevice[] {
    return this.buses.flatMap((bus) => bus.devices);
  }

  get memoryWindows(): readonly IovaRange[] {
    return this.node.ranges
      .filter(({ flags, sizeBytes }) => isMemory(flags) && sizeBytes > 0)
      .map(({ childBase, sizeBytes }) => ({ first: iova(childBase), last: iova(childBase + sizeBytes - 1) }));
  }

  slotOf(id: number): readonly PciDevice[] {
    return this.#slots.get(slotNumber(id)) ?? [];
  }

  toCpu(address: number): PhysAddr | undefined {
    const range = this.node.ranges.find(
      ({ flags, childBase, sizeBytes }) => isMemory(flags) && address >= childBase && address < childBase + sizeBytes,
    );
    return range && physAddr(range.parentBase + address - range.childBase);
  }

  warn(message: string): void {
    this.#context.log.warn(message);
  }

  #mapEcam(): Ecam {
    const [first = 0, last = 255] = this.node.u32s('bus-range') ?? [];
    const ecam = new Ecam(this.#context.ioremap(0), first, last);
    if (first > last || last > 255 || ecam.lastBus < first)
      throw new LinuxError('EINVAL', `${this.node.path}: no room for buses ${first} to ${last} in its ECAM`);
    return ecam;
  }

  #findMsiDomains(devices: readonly PciDevice[]): void {
    const domains = new PciMsiDomains(this, this.#context.devres);
    const aliasVectors = aliasVectorCounts(devices);
    let warned = false;
    for (const device of devices) {
      device.msiAliasVectors = aliasVectors.get(device.requesterId);
      const msi = domains.find(device);
      if (msi) device.msi = msi;
      else if (!warned) this.warn(`${this.node.path}: no MSI controller for ${device.name}, nor perhaps for others`);
      warned ||= !msi;
    }
  }
}

function slotNumber(id: number): number {
  return ROUTING_ID.Function_Number.set(id, 0);
}

function isMemory(flags: number): boolean {
  return PHYS_HI.space(flags) === PHYS_HI_SPACE.MEMORY_32 || PHYS_HI.space(flags) === PHYS_HI_SPACE.MEMORY_64;
}

/** @linux devm_of_pci_get_host_bridge_resources, of_bus_pci_get_flags */
function hostPools(ranges: readonly AddressRange[]): AddressPool[] {
  return ranges.flatMap(({ flags, childBase, sizeBytes }) => {
    const space = PHYS_HI.space(flags);
    if (space === PHYS_HI_SPACE.CONFIGURATION || sizeBytes === 0) return [];
    const kind = {
      space: isMemory(flags) ? ('memory' as const) : ('io' as const),
      is64: space === PHYS_HI_SPACE.MEMORY_64,
      prefetchable: isMemory(flags) && PHYS_HI.prefetchable(flags) === 1,
    };
    return [new AddressPool(kind, childBase, childBase + sizeBytes - 1)];
  });
}

function firstFreeDomain({ devices }: ProbeContext): number {
  const taken = new Set(devices.all.map(({ name }) => /^([0-9a-f]{4,}):[0-9a-f]{2}:/.exec(name)?.[1]));
  let domain = 0;
  while (taken.has(domain.toString(16).padStart(4, '0'))) domain++;
  return domain;
}

// Whoever used the function is gone by now: what it left enabled must not reach memory or a processor any more.
function shutDown(device: PciDevice): void {
  const { irqs } = device.host;
  for (const { virq, nrVectors } of device.msiDescs)
    for (let i = virq; i < virq + nrVectors; i++)
      for (const { handler } of [...irqs.irqDesc(i).actions]) irqs.freeIrq(i, handler);
  device.freeVectors();
  device.disable();
  device.host.iommus.dmaUnconfigure(device);
}
