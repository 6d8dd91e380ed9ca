// SPDX-License-Identifier: Apache-2.0
// The smallest machine with a PCI host bridge: its model's frames on a bus of their own, RAM, and a toy MSI controller.

import { DOORBELL_PROT, MSI_FLAG, LinuxError, createHost, definePlugin, physAddr } from '@irqkit/core';
import type {
  AccessSize,
  AddressRange,
  Bus,
  DmaPort,
  FirmwareNode,
  Host,
  InterruptSpec,
  IommuOps,
  IrqChip,
  MappedId,
  MmioModel,
  MmioRegion,
  ModelContext,
  Plugin,
  ProbeContext,
  Region,
  Requester,
} from '@irqkit/core';
import { PciDevice, PciHostDriver, PciHostModel, pciHostGeneric } from '@irqkit/pci';
import type { PciSlot } from '@irqkit/pci';
import { VIRT_ECAM, VIRT_RANGES, firmware, node } from './tree.js';

const CPU: Requester = { kind: 'cpu', cpu: 0, requesterId: -1, streamId: -1, deviceId: -1 };
export const DOORBELL = 0x802_0040;

/** One 32-bit write that reached the top. */
export interface Sent {
  readonly requesterId: number;
  readonly address: number;
  readonly value: number;
}

export interface MachineOptions {
  readonly plugged: readonly PciSlot[];
  readonly ranges?: readonly AddressRange[];
  readonly busRange?: readonly [number, number];
  /** How many interrupts the toy controller has. */
  readonly nrSpis?: number;
  /** The data of the first one's message. */
  readonly firstSpi?: number;
  readonly supportedFlags?: number;
  readonly doorbell?: number;
  readonly mapId?: (requesterId: number, controller: FirmwareNode) => MappedId | undefined;
  readonly withController?: boolean;
  /** What every requester id leads to; missing: no IOMMU. */
  readonly iommu?: IommuOps;
  /** True where its driver must be tried twice. */
  readonly iommuIsLate?: boolean;
  /** Ids that bypass it. */
  readonly bypasses?: (requesterId: number) => boolean;
  readonly mapInterrupt?: (unitAddress: readonly number[], args: readonly number[]) => InterruptSpec | undefined;
}

export class Machine {
  readonly model: PciHostModel;
  readonly sent: Sent[] = [];
  readonly ram = new Uint8Array(0x1_0000);
  readonly log: string[] = [];
  readonly lines: string[] = [];
  /** Every access on the bus, as `w4 0x10000000 0x1`. */
  readonly accesses: string[] = [];
  readonly bus: Bus;
  readonly pcie: FirmwareNode;
  readonly #options: MachineOptions;
  readonly #controller: FirmwareNode;
  readonly #iommu: FirmwareNode;
  #host: Host | undefined;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.#controller = node({ path: '/msi@8020000', compatible: 'test,msi' });
    this.#iommu = node({ path: '/iommu@9050000', compatible: 'test,iommu' });
    const [first, last] = options.busRange ?? [0, 255];
    this.pcie = node({
      path: '/pcie@10000000',
      compatible: 'pci-host-ecam-generic',
      regs: [VIRT_ECAM],
      cells: { 'bus-range': [first, last] },
      ranges: options.ranges ?? VIRT_RANGES,
      mapId: (id) =>
        options.mapId ? options.mapId(id, this.#controller) : { controller: this.#controller, id: id + 0x1_0000 },
      mapIommu: (id) =>
        options.iommu && !options.bypasses?.(id) ? { controller: this.#iommu, id: id + 0x2_0000 } : undefined,
      ...(options.mapInterrupt && { mapInterrupt: options.mapInterrupt }),
    });
    this.model = new PciHostModel(this.#modelContext());
    this.bus = this.#makeBus();
  }

  get host(): Host {
    return (this.#host ??= createHost({
      firmware: firmware(this.pcie, this.#controller, this.#iommu),
      plugins: [pciHostGeneric, ...this.#plugins()],
      bus: this.bus,
    }));
  }

  /** Takes the host down; the next use probes anew on the same hardware. */
  restart(): void {
    this.host.teardown();
    this.#host = undefined;
  }

  get driver(): PciHostDriver {
    const found = this.host.drivers.map(({ instance }) => instance).find((driver) => driver instanceof PciHostDriver);
    if (!found) throw new Error('no PCI host driver');
    return found;
  }

  get names(): readonly string[] {
    return this.driver.devices.map(({ name }) => name);
  }

  device(name: string): PciDevice {
    const found = this.host.devices.find(name);
    if (!(found instanceof PciDevice)) throw new Error(`no device ${name}`);
    return found;
  }

  read(address: number, size: AccessSize): number {
    const { frame, offset } = this.#route(address);
    return frame.read(offset, size, CPU);
  }

  write(address: number, value: number, size: AccessSize): void {
    const { frame, offset } = this.#route(address);
    frame.write(offset, value, size, CPU);
  }

  get frames(): readonly { readonly region: Region; readonly model: MmioModel }[] {
    return [{ region: VIRT_ECAM, model: this.model.frames[0] }, ...this.model.windows];
  }

  #route(address: number): { frame: MmioModel; offset: number } {
    const found = this.frames.find(({ region: { base, sizeBytes } }) => address >= base && address < base + sizeBytes);
    if (!found) throw new LinuxError('ENXIO', `nothing at 0x${address.toString(16)}`);
    return { frame: found.model, offset: address - found.region.base };
  }

  #modelContext(): ModelContext {
    const ports = new Map<number, DmaPort>();
    const unused = (): never => {
      throw new Error('not used by the model');
    };
    return {
      node: this.pcie,
      silicon: {},
      dma: { load: unused, store: unused },
      cpuIrqs: [],
      mpidr: [0],
      interrupts: [],
      get interruptParent() {
        return unused();
      },
      controller: () => ({
        frames: [],
        save: unused,
        restore: unused,
        sink: { setPending: unused },
        line: (args) => ({ set: (level) => void this.lines.push(`${args.join(' ')}=${level ? 1 : 0}`) }),
      }),
      ports: {
        port: (requesterId) => {
          const port = ports.get(requesterId) ?? this.#port(requesterId);
          ports.set(requesterId, port);
          return port;
        },
      },
      plugged: this.#options.plugged,
      log: {
        guest: (format) => void this.log.push(`guest: ${format}`),
        unimp: (format) => void this.log.push(`unimp: ${format}`),
      },
    };
  }

  #port(requesterId: number): DmaPort {
    return {
      requester: { kind: 'device', cpu: -1, requesterId, streamId: -1, deviceId: -1 },
      load: (address, into) => {
        if (address + into.length > this.ram.length) return false;
        into.set(this.ram.subarray(address, address + into.length));
        return true;
      },
      store: (address, from) => {
        if (address + from.length > this.ram.length) return false;
        this.ram.set(from, address);
        return true;
      },
      write32: (address, value) => {
        this.sent.push({ requesterId, address, value });
        return true;
      },
    };
  }

  #makeBus(): Bus {
    return {
      map: ({ base, sizeBytes }) => this.#map(base, sizeBytes),
      unmap: () => undefined,
      memory: {
        alloc() {
          throw new LinuxError('ENOMEM', 'no DMA memory here');
        },
        free: () => undefined,
      },
      cpus: {
        count: 1,
        current: 0,
        mpidr: [0],
        runOn: (_cpu, work) => work(),
        irqAsserted: () => false,
        onIrq: () => () => undefined,
      },
    };
  }

  #map(base: number, sizeBytes: number): MmioRegion {
    const note = (kind: string, offset: number, value: number): void =>
      void this.accesses.push(`${kind} 0x${(base + offset).toString(16)} 0x${value.toString(16)}`);
    return {
      base: physAddr(base),
      sizeBytes,
      at: (offset) => physAddr(base + offset),
      read: (offset, size) => this.read(base + offset, size),
      write: (offset, value, size) => {
        note(`w${size}`, offset, value);
        this.write(base + offset, value, size);
      },
      write64: (offset, lo, hi) => {
        this.write(base + offset, lo, 4);
        this.write(base + offset + 4, hi, 4);
      },
    };
  }

  #plugins(): Plugin[] {
    const { withController = true, iommu } = this.#options;
    let { iommuIsLate = false } = this.#options;
    const plugins = withController ? [this.#toyController()] : [];
    if (iommu)
      plugins.push(
        definePlugin({
          name: 'toy-iommu',
          coreApi: 1,
          iommus: [
            {
              compatible: ['test,iommu'],
              useFactory: ({ iommus, devres, node: own }) => {
                if (iommuIsLate) {
                  iommuIsLate = false;
                  throw new LinuxError('EPROBE_DEFER', `${own.path}: not yet`);
                }
                devres.add(iommus.register(own, iommu));
                return {};
              },
            },
          ],
        }),
      );
    return plugins;
  }

  // Hands out its lowest free numbers in aligned blocks, and composes its own number as data.
  #toyController(): Plugin {
    const {
      nrSpis = 128,
      firstSpi = 0x40,
      supportedFlags = MSI_FLAG.MULTI_PCI_MSI | MSI_FLAG.PCI_MSIX,
    } = this.#options;
    const doorbell = physAddr(this.#options.doorbell ?? DOORBELL);
    const chip: IrqChip = {
      name: 'toy',
      composeMsiMsg(data, msg) {
        msg.address = doorbell;
        msg.data = data.hwirq;
      },
      msiDoorbellInfo: () => ({ globalDoorbell: doorbell, sizeBytes: 4, prot: DOORBELL_PROT, irqRemapping: false }),
      setAffinity(data, cpus) {
        data.common.effectiveAffinity = [cpus[0]];
      },
    };
    const taken = new Array<boolean>(nrSpis).fill(false);
    const useFactory = ({ irqs, node: own, devres }: ProbeContext): object => {
      const domain = irqs.createDomain({
        name: 'toy',
        node: own,
        busToken: 'msi-parent',
        msiParent: { supportedFlags },
        ops: {
          alloc(self, virq, nr) {
            const at = taken.findIndex((_, i) => i % nr === 0 && !taken.slice(i, i + nr).includes(true));
            if (at < 0 || at + nr > nrSpis) throw new LinuxError('ENOSPC', `${own.path}: no ${nr} interrupts left`);
            taken.fill(true, at, at + nr);
            for (let i = 0; i < nr; i++) self.setInfo(virq + i, firstSpi + at + i, chip);
          },
          free(self, virq, nr) {
            const first = self.irqData(virq).hwirq - firstSpi;
            taken.fill(false, first, first + nr);
          },
        },
      });
      devres.add(() => irqs.removeDomain(domain));
      return {};
    };
    return definePlugin({
      name: 'toy-msi',
      coreApi: 1,
      irqChips: [{ compatible: ['test,msi'], useFactory }],
    });
  }
}
