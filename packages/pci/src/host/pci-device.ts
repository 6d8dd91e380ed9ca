// SPDX-License-Identifier: Apache-2.0
// One PCI function as software knows it: identity, capabilities, BARs, and its MSI or MSI-X vectors.

import { hex } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type {
  AccessSize,
  Device,
  InterruptSpec,
  IommuGroup,
  IovaRange,
  IrqDomain,
  MappedId,
  MsiDesc,
  MsiTranslation,
  Region,
} from '@irqkit/core';
import {
  ACS,
  CAP_ID,
  Class_Revision,
  Command,
  DEVICE_PORT_TYPE,
  Device_ID,
  EXT_CAP_ID,
  HEADER_LAYOUT,
  Header_Type,
  Interrupt_Pin,
  PCIe_Capabilities,
  ROUTING_ID,
  Slot_Capabilities,
  Vendor_ID,
} from '../regs.js';
import type { AcsState } from './acs.js';
import { bridgeWindows, sizeBars } from './bar-sizing.js';
import { configureDma } from './configure-dma.js';
import { dmaAliases } from './dma-alias.js';
import type { AliasingBridge } from './dma-alias.js';
import { FunctionConfig } from './function-config.js';
import { enableMsi } from './msi-vectors.js';
import { enableMsix } from './msix-vectors.js';
import { pciDeviceGroup } from './pci-group.js';
import type { GroupedFunction } from './pci-group.js';
import type { PciHostBridge } from './pci-host-bridge.js';
import type { BridgeWindow, PciBar } from './pci-resource.js';

/** Vectors while they are enabled. */
export interface EnabledVectors {
  /** Leaves the function with messages off, then releases the vectors. */
  release(): void;
}

export class PciDevice implements Device, AliasingBridge, GroupedFunction {
  /** `0000:00:02.0` */
  readonly name: string;
  readonly node = undefined;
  /** Bus, device and function: what it answers to. */
  readonly id: number;
  readonly requesterId: number;
  /** Every id its requests have on their way up, its own first. @linux pci_for_each_dma_alias */
  readonly dmaAliases: readonly number[];
  readonly vendorId: number;
  readonly deviceId: number;
  /** Base class, sub-class, programming interface. */
  readonly classCode: number;
  readonly isBridge: boolean;
  /** True for one of several functions of a device. */
  readonly isMultiFunction: boolean;
  /** Device/Port Type of its PCI Express capability; undefined on a conventional function. */
  readonly portType: number | undefined;
  /** The bridge above it; undefined on a root bus. */
  readonly parentBridge: PciDevice | undefined;
  readonly bars: readonly PciBar[];
  readonly config: FunctionConfig;
  /** @internal */
  readonly host: PciHostBridge;
  /** @internal A bridge's windows as assignment goes on. */
  readonly bridgeWindows: readonly BridgeWindow[];
  readonly msiDescs: MsiDesc[] = [];
  /** Set by the IOMMU framework. */
  iommuGroup: IommuGroup | undefined = undefined;
  /** Set by the IOMMU framework while messages are translated. */
  msiTranslation: MsiTranslation | undefined = undefined;
  /** A bridge's bus numbers, set by enumeration; 0 on other functions. */
  secondaryBus = 0;
  subordinateBus = 0;
  /** @internal Where its messages go, set once buses are numbered. */
  msi: { readonly deviceId: number; readonly domain: IrqDomain | undefined };
  /** Set where its requester id is not its own alone. */
  msiAliasVectors: number | undefined = undefined;
  #vectors: EnabledVectors | undefined;
  /** Messages may be enabled while bus mastering is still off. */
  #decoding = false;

  /** Reads what is at (bus, devfn) of `host`; only functions that are there may be asked for. */
  constructor(host: PciHostBridge, bus: number, devfn: number, parentBridge: PciDevice | undefined) {
    this.host = host;
    this.parentBridge = parentBridge;
    this.config = new FunctionConfig(host.ecam, bus, devfn);
    this.id = ROUTING_ID.Bus_Number.set(devfn, bus);
    this.name = nameOf(host.domain, this.id);
    this.dmaAliases = dmaAliases(this.id, this.bridgesAbove);
    this.requesterId = this.dmaAliases[this.dmaAliases.length - 1];
    this.msi = { deviceId: this.requesterId, domain: undefined };
    this.vendorId = this.config.get(Vendor_ID);
    this.deviceId = this.config.get(Device_ID);
    this.classCode = Class_Revision.Class_Code(this.config.get(Class_Revision));
    const headerType = this.config.get(Header_Type);
    this.isBridge = Header_Type.Header_Layout(headerType) === HEADER_LAYOUT.BRIDGE;
    this.isMultiFunction =
      Header_Type.Multi_Function_Device(headerType) === 1 || ROUTING_ID.Function_Number(this.id) > 0;
    const express = this.findCapability(CAP_ID.EXPRESS);
    this.portType =
      express === undefined
        ? undefined
        : PCIe_Capabilities.Device_Port_Type(this.config.get(PCIe_Capabilities, express));
    this.bars = sizeBars(this.config, this.isBridge);
    this.bridgeWindows = this.isBridge ? bridgeWindows(this.config) : [];
  }

  get msiDeviceId(): number {
    return this.msi.deviceId;
  }

  get msiDomain(): IrqDomain | undefined {
    return this.msi.domain;
  }

  /** Its ids at its IOMMU, repetitions left in; empty where one of them bypasses. @linux of_pci_iommu_init */
  get iommuIds(): readonly MappedId[] {
    const ids: MappedId[] = [];
    for (const alias of this.dmaAliases) {
      const mapped = this.host.node.mapId('iommu', alias);
      if (!mapped) return [];
      ids.push(mapped);
    }
    return ids;
  }

  get untranslatedRanges(): readonly IovaRange[] {
    return this.host.memoryWindows;
  }

  busGroup(): IommuGroup | undefined {
    return pciDeviceGroup(this);
  }

  /** The bridges from here to the root bus. */
  get bridgesAbove(): readonly PciDevice[] {
    const bridges: PciDevice[] = [];
    for (let bridge = this.parentBridge; bridge; bridge = bridge.parentBridge) bridges.push(bridge);
    return bridges;
  }

  /** The functions of its device, itself among them. */
  get slot(): readonly PciDevice[] {
    return this.host.slotOf(this.id);
  }

  /** True where the bus behind it has device 0 only. @linux only_one_child */
  get hasOneChild(): boolean {
    return this.portType === DEVICE_PORT_TYPE.ROOT_PORT || this.portType === DEVICE_PORT_TYPE.DOWNSTREAM_PORT;
  }

  // UNIMP: hot-plug
  /** True for a port with a slot that cards come and go in. @linux is_hotplug_bridge */
  get isHotPlug(): boolean {
    const at = this.findCapability(CAP_ID.EXPRESS);
    if (at === undefined || !PCIe_Capabilities.Slot_Implemented(this.config.get(PCIe_Capabilities, at))) return false;
    return Slot_Capabilities.Hot_Plug_Capable(this.config.get(Slot_Capabilities, at)) === 1;
  }

  /** Undefined where it has no Access Control Services. */
  get acs(): AcsState | undefined {
    const at = this.findExtCapability(EXT_CAP_ID.ACS);
    if (at === undefined) return undefined;
    return {
      capable: ACS.controls(this.config.get(ACS.Capability, at)),
      control: this.config.get(ACS.Control, at),
    };
  }

  /** Where its interrupt pin leads; undefined where it has none. @linux of_irq_parse_pci */
  get intx(): InterruptSpec | undefined {
    let pin = this.config.get(Interrupt_Pin);
    if (pin < 1 || pin > 4) return undefined;
    const path = [this.id, ...this.bridgesAbove.map(({ id }) => id)];
    for (const id of path.slice(0, -1)) pin = ((pin - 1 + ROUTING_ID.Device_Number(id)) % 4) + 1;
    return this.host.node.mapInterrupt([path[path.length - 1] * 256, 0, 0], [pin]);
  }

  /** @throws LinuxError EFAULT for a register that is misaligned or beyond the space */
  readConfig(offset: number, size: AccessSize): number {
    return this.config.read(offset, size);
  }

  /** @throws LinuxError EFAULT */
  writeConfig(offset: number, value: number, size: AccessSize): void {
    this.config.write(offset, value, size);
  }

  findCapability(id: number): number | undefined {
    return this.config.findCapability(id);
  }

  findExtCapability(id: number): number | undefined {
    return this.config.findExtendedCapability(id);
  }

  /** Where a memory BAR is for processors. @throws LinuxError EINVAL for one that is not there or has no address */
  barRegion(index: number): Region {
    const bar = this.bars.find((candidate) => candidate.index === index);
    const base = bar?.space === 'memory' && bar.address !== undefined ? this.host.toCpu(bar.address) : undefined;
    if (!bar || base === undefined) throw new LinuxError('EINVAL', `${this.name}: BAR ${index} is not in memory`);
    return { base, sizeBytes: bar.sizeBytes };
  }

  /** True while it decodes memory and may master the bus. */
  get enabled(): boolean {
    const command = this.config.get(Command);
    return Command.Memory_Space_Enable(command) === 1 && Command.Bus_Master_Enable(command) === 1;
  }

  /**
   * Behind its IOMMU, memory decoding and bus mastering on: every bridge above, then itself. Bridges come first, as under
   * Linux, whose port driver takes each before what is behind it: a function joins the group of a bridge that does not isolate.
   * @throws LinuxError EINVAL for a function with a memory BAR that could not be assigned; as IommuCore.dmaConfigure, with
   * nothing changed
   * @linux pci_dma_configure, pci_enable_device_mem, pci_set_master
   */
  enable(): void {
    const lost = this.bars.find((bar) => bar.space === 'memory' && bar.address === undefined);
    if (lost) throw new LinuxError('EINVAL', `${this.name}: BAR ${lost.index} has no address`);
    const path = [...[...this.bridgesAbove].reverse(), this];
    configureDma(path);
    for (const device of path) if (!device.enabled) device.#switch(1, 1);
  }

  /**
   * As `enable`, but without bus mastering, and with I/O decoding too where it has such a BAR: for who gives the function to
   * another, who may then master or not. Messages can be enabled; none goes out before it masters the bus.
   * @throws as `enable` @linux pci_clear_master, pci_enable_device
   */
  enableDecoding(): void {
    const lost = this.bars.find((bar) => bar.space === 'memory' && bar.address === undefined);
    if (lost) throw new LinuxError('EINVAL', `${this.name}: BAR ${lost.index} has no address`);
    configureDma([...[...this.bridgesAbove].reverse(), this]);
    for (const bridge of [...this.bridgesAbove].reverse()) if (!bridge.enabled) bridge.#switch(1, 1);
    this.#switch(1, 0);
    if (this.bars.some(({ space, address }) => space === 'io' && address !== undefined))
      this.config.set(Command, Command.IO_Space_Enable.set(this.config.get(Command), 1));
    this.#decoding = true;
  }

  /** Bus mastering off; decoding stays. @linux pci_disable_device */
  disable(): void {
    this.#decoding = false;
    this.#switch(Command.Memory_Space_Enable(this.config.get(Command)), 0);
  }

  /**
   * Enables MSI-X with the first `wanted` entries, or with the entries named, all masked until their interrupt is requested.
   * @returns their virqs, in the order asked for
   * @throws LinuxError EINVAL without the capability, before `enable()`, with messages enabled already, for a count below
   * 1 or an entry that is not there or named twice; ENOSPC for more than the table has; what the controller throws. The
   * function is then as it was.
   * @linux pci_enable_msix_range
   */
  enableMsix(wanted: number | readonly number[]): readonly number[] {
    this.#checkReady();
    const { virqs, vectors } = enableMsix(this, wanted);
    this.#vectors = vectors;
    return virqs;
  }

  /**
   * Enables MSI with `nrVectors` messages, a power of two.
   * @returns their virqs, ascending
   * @throws LinuxError EINVAL without the capability, before `enable()`, with messages enabled already, for a count that is
   * no power of two; ENOSPC for more than it is capable of or the controller serves; EIO where it cannot hold the address
   * @linux pci_enable_msi_range
   */
  enableMsi(nrVectors: number): readonly number[] {
    this.#checkReady();
    const { virqs, vectors } = enableMsi(this, nrVectors);
    this.#vectors = vectors;
    return virqs;
  }

  /**
   * Messages off and every vector released; no error where none is enabled.
   * @throws LinuxError EBUSY while a vector has a handler, with nothing changed @linux pci_free_irq_vectors
   */
  freeVectors(): void {
    for (const desc of this.msiDescs)
      for (let virq = desc.virq; virq < desc.virq + desc.nrVectors; virq++)
        if (this.host.irqs.irqDesc(virq).actions.length > 0)
          throw new LinuxError('EBUSY', `${this.name}: irq ${virq} still has a handler`);
    this.#vectors?.release();
    this.#vectors = undefined;
  }

  #checkReady(): void {
    if (this.#vectors) throw new LinuxError('EINVAL', `${this.name}: MSI or MSI-X is already enabled`);
    const ready = this.#decoding ? Command.Memory_Space_Enable(this.config.get(Command)) === 1 : this.enabled;
    if (!ready) throw new LinuxError('EINVAL', `${this.name}: not enabled`);
  }

  #switch(memory: number, master: number): void {
    const command = Command.Memory_Space_Enable.set(this.config.get(Command), memory);
    this.config.set(Command, Command.Bus_Master_Enable.set(command, master));
  }
}

function nameOf(domain: number, id: number): string {
  const digits = (value: number, width: number): string => hex(value, width).slice(2);
  const bus = digits(ROUTING_ID.Bus_Number(id), 2);
  return `${digits(domain, 4)}:${bus}:${digits(ROUTING_ID.Device_Number(id), 2)}.${ROUTING_ID.Function_Number(id)}`;
}
