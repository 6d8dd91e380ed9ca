// SPDX-License-Identifier: Apache-2.0
// What the constructor of a driver or a model is given. Each member can be injected alone by its token; `useFactory`
// takes the whole.

import type { Bus, MmioRegion } from '../contracts/bus.js';
import type { Device } from '../contracts/device.js';
import type { FirmwareNode } from '../contracts/firmware.js';
import type { Dma, DmaPorts, InterruptControllerModel, IrqLine, ModelLog } from '../contracts/model.js';
import type { Silicon } from '../contracts/plugin.js';
import type { IommuCore } from '../iommu/iommu-core.js';
import type { IrqCore } from '../irq/irq-core.js';
import type { DoorbellRegistry } from '../msi/doorbell-registry.js';
import type { Devres } from './devres.js';
import type { SupplierToken } from './suppliers.js';

/** What the host's frameworks say to its owner. */
export interface HostLog {
  warn(message: string): void;
  /** Everything warned of so far. */
  readonly warnings: readonly string[];
}

/** The devices of a host, as bus drivers find them. */
export interface DeviceList {
  /** Adds a device until the returned removal is called. @throws LinuxError EEXIST for a name that is taken. */
  add(device: Device): () => void;
  find(name: string): Device | undefined;
  readonly all: readonly Device[];
}

export interface ProbeContext {
  readonly node: FirmwareNode;
  readonly bus: Bus;
  /** Releases, run in reverse when the constructor throws and at teardown. */
  readonly devres: Devres;
  readonly irqs: IrqCore;
  readonly doorbells: DoorbellRegistry;
  readonly iommus: IommuCore;
  readonly devices: DeviceList;
  readonly log: HostLog;
  /** Offers a service of this node to other drivers, until the node is released. @throws LinuxError EEXIST */
  provide<T>(token: SupplierToken<T>, service: T): void;
  /** A service that another node's driver offers. @throws LinuxError EPROBE_DEFER, ENODEV */
  supplier<T>(node: FirmwareNode, token: SupplierToken<T>): T;
  /** Maps the node's i-th `reg`, released with the node. @throws FirmwareError, LinuxError ENXIO */
  ioremap(index: number): MmioRegion;
}

export interface ModelContext {
  readonly node: FirmwareNode;
  /** The plugin's profile with the board's values over it. */
  readonly silicon: Silicon;
  readonly dma: Dma;
  /** The IRQ input of each processor. */
  readonly cpuIrqs: readonly IrqLine[];
  /** MPIDR affinity bits of each processor, as `CpuPort.mpidr`. */
  readonly mpidr: readonly number[];
  /** The node's own interrupts, in order. Controllers that nobody models swallow them. */
  readonly interrupts: readonly IrqLine[];
  /** The controller above: by `interrupt-parent`, or the nearest parent that is one. @throws LinuxError EPROBE_DEFER */
  readonly interruptParent: InterruptControllerModel;
  /** The controller model of another node. @throws LinuxError EPROBE_DEFER, ENODEV where nothing models it */
  controller(node: FirmwareNode): InterruptControllerModel;
  readonly ports: DmaPorts;
  /** What the board's owner plugged into this node, in the bus package's own terms. */
  readonly plugged: readonly unknown[];
  readonly log: ModelLog;
}
