// SPDX-License-Identifier: Apache-2.0
// A host with IOMMUs that write down what they are asked, devices behind them, and VFIO on top.

import { DOORBELL_PROT, DoorbellRegistry, IRQ_DOMAIN_FLAG, IommuCore, IrqDomain, physAddr } from '@irqkit/core';
import type { Device, IommuGroup, MsiDesc, MsiDoorbellInfo } from '@irqkit/core';
import { Process, VfioSystem } from '@irqkit/vfio-type1';
import type { ProcessOptions, VfioDeviceDriver, VfioDeviceFd, VfioSettings } from '@irqkit/vfio-type1';
import { FakeIommu } from './fake-iommu.js';
import { FakeMemory } from './fake-memory.js';
import { stubFirmware } from './stub-node.js';

/** GITS_TRANSLATER of QEMU's virt machine. */
export const ITS_DOORBELL: MsiDoorbellInfo = {
  globalDoorbell: physAddr(0x809_0040),
  sizeBytes: 4,
  prot: DOORBELL_PROT,
  irqRemapping: true,
};

/** MSI_SETSPI_NS of its GICv2m frame. */
export const V2M_DOORBELL: MsiDoorbellInfo = {
  globalDoorbell: physAddr(0x802_0040),
  sizeBytes: 4,
  prot: DOORBELL_PROT,
  irqRemapping: false,
};

/** A device that user space has open: request 1 enables its MSI, request 2 disables it. */
export class FakeVfioDevice implements VfioDeviceFd {
  readonly device: Device;
  readonly #doorbell: MsiDoorbellInfo;

  constructor(device: Device, doorbell: MsiDoorbellInfo) {
    this.device = device;
    this.#doorbell = doorbell;
  }

  ioctl(request: number): number {
    if (request === 1) this.enableMsi();
    else this.disableMsi();
    return 0;
  }

  enableMsi(): void {
    this.device.msiTranslation?.bind(this.#doorbell);
    this.device.msiDescs.push({} as MsiDesc);
  }

  disableMsi(): void {
    if (!this.device.msiDescs.pop()) return;
    this.device.msiTranslation?.unbind(this.#doorbell);
  }

  read(): number {
    return 0;
  }

  write(): number {
    return 0;
  }

  close(): void {
    this.disableMsi();
  }
}

export interface RigOptions {
  readonly iommus?: readonly FakeIommu[];
  readonly settings?: Partial<VfioSettings>;
  readonly doorbells?: readonly MsiDoorbellInfo[];
}

export interface DeviceFacts {
  readonly iommu?: FakeIommu;
  /** Devices with one key share a group. */
  readonly groupKey?: string;
  /** Undefined for a device that can have no MSIs. */
  readonly doorbell?: MsiDoorbellInfo | 'none';
}

export class Rig {
  readonly iommus: readonly FakeIommu[];
  readonly memory = new FakeMemory();
  readonly core: IommuCore;
  readonly doorbells = new DoorbellRegistry(1);
  readonly system: VfioSystem;
  readonly opened: FakeVfioDevice[] = [];
  readonly #devices = new Map<string, Device>();

  constructor({ iommus = [new FakeIommu()], settings, doorbells = [ITS_DOORBELL] }: RigOptions = {}) {
    this.iommus = iommus;
    const log = { warn: () => undefined, warnings: [] };
    this.core = new IommuCore({ firmware: stubFirmware(), log, mayCome: () => false });
    for (const iommu of iommus) this.core.register(iommu.node, iommu);
    for (const doorbell of doorbells) this.doorbells.register(doorbell);
    const driver: VfioDeviceDriver = {
      name: 'vfio-pci',
      openDevice: (device) => {
        const opened = new FakeVfioDevice(device, device.msiDomain?.doorbells[0] ?? ITS_DOORBELL);
        this.opened.push(opened);
        return opened;
      },
    };
    this.system = new VfioSystem({ host: { iommus: this.core, doorbells: this.doorbells }, driver, settings });
  }

  get iommu(): FakeIommu {
    return this.iommus[0];
  }

  /** A device behind an IOMMU, in a group, with no driver. */
  device(name: string, { iommu = this.iommu, groupKey, doorbell = ITS_DOORBELL }: DeviceFacts = {}): Device {
    const device: Device = {
      name,
      node: undefined,
      requesterId: this.#devices.size,
      msiDeviceId: this.#devices.size,
      msiDomain: doorbell === 'none' ? undefined : msiDomainWith(doorbell),
      iommuIds: [{ controller: iommu.node, id: this.#devices.size }],
      iommuGroup: undefined,
      msiTranslation: undefined,
      msiDescs: [],
    };
    this.#devices.set(name, device);
    if (groupKey !== undefined) iommu.groupKeys.set(device, groupKey);
    this.core.dmaConfigure(device);
    return device;
  }

  /** A device that user space may have. */
  bound(name: string, facts: DeviceFacts = {}): Device {
    const device = this.device(name, facts);
    this.system.bindDevice(device);
    return device;
  }

  process(options: Partial<ProcessOptions> = {}): Process {
    return new Process({ memory: this.memory, ipcLock: true, ...options });
  }

  /** What is taken of board and host. */
  get state() {
    return {
      iommus: this.iommus.map(({ state }) => state),
      memoryBytes: this.memory.usedBytes,
      claimed: this.core.groups.filter((group) => this.system.bindings.claimed(group)).map(({ id }) => id),
      msis: [...this.#devices.values()].filter(({ msiDescs }) => msiDescs.length > 0).map(({ name }) => name),
    };
  }
}

export function groupOf({ name, iommuGroup }: Device): IommuGroup {
  if (!iommuGroup) throw new Error(`${name} has no group`);
  return iommuGroup;
}

function msiDomainWith(doorbell: MsiDoorbellInfo): IrqDomain {
  const source = {
    irqData: () => {
      throw new Error('no interrupts here');
    },
  };
  return new IrqDomain(
    {
      name: 'msi',
      node: undefined,
      busToken: 'pci-msi',
      ops: { alloc: () => undefined, free: () => undefined },
      flags: doorbell.irqRemapping ? IRQ_DOMAIN_FLAG.ISOLATED_MSI : 0,
      doorbells: () => [doorbell],
    },
    source,
  );
}
