// SPDX-License-Identifier: Apache-2.0
// MSIs of devices that are on no enumerable bus: the driver says how its device is programmed. @linux platform-msi.c

import type { Device } from '../contracts/device.js';
import { LinuxError } from '../contracts/errno.js';
import type { FirmwareNode, MappedId } from '../contracts/firmware.js';
import type { IrqChip, MsiMsg } from '../irq/irq-chip.js';
import type { IrqCore } from '../irq/irq-core.js';
import type { IrqDomain } from '../irq/irq-domain.js';
import { msiDomainAllocIrqs, msiDomainFreeIrqs } from './msi-alloc.js';
import type { MsiDesc } from './msi-desc.js';
import { createMsiDomain } from './msi-domain.js';

// A hwirq is the device's number in the upper 21 bits and the vector in the lower 11. @linux DEV_ID_SHIFT
const MAX_DEV_MSIS = 2 ** 11;

const chip: IrqChip = { name: 'pMSI' };

/**
 * A device that firmware names, with the MSI domain that its `msi-parent` leads to. Its driver puts it behind its IOMMU by
 * `IommuCore.dmaConfigure` before it enables MSIs.
 */
export class PlatformDevice implements Device {
  readonly name: string;
  readonly node: FirmwareNode;
  readonly requesterId: number;
  readonly msiDeviceId: number;
  readonly msiDomain: IrqDomain | undefined;
  iommuGroup: Device['iommuGroup'] = undefined;
  msiTranslation: Device['msiTranslation'] = undefined;
  readonly msiDescs: MsiDesc[] = [];
  readonly #irqs: IrqCore;

  /** @throws LinuxError EPROBE_DEFER, ENODEV for the controller of its `msi-parent` */
  constructor(irqs: IrqCore, node: FirmwareNode) {
    this.#irqs = irqs;
    this.name = node.path;
    this.node = node;
    const mapped = node.mapId('msi', 0);
    this.requesterId = mapped?.id ?? 0;
    this.msiDeviceId = mapped?.id ?? 0;
    this.msiDomain = mapped && platformMsiDomain(irqs, mapped.controller);
  }

  get iommuIds(): readonly MappedId[] {
    return this.node.iommus;
  }

  /**
   * Enables `nr` vectors; `write(index, msg)` programs the device.
   * @returns their virqs, by index
   * @throws LinuxError EINVAL for a count that is not in [1, 2048]; as msiDomainAllocIrqs
   * @linux platform_msi_domain_alloc_irqs
   */
  enableMsi(nr: number, write: (index: number, msg: MsiMsg) => void): readonly number[] {
    if (!Number.isInteger(nr) || nr < 1 || nr > MAX_DEV_MSIS)
      throw new LinuxError('EINVAL', `${this.name}: ${nr} vectors`);
    const specs = Array.from({ length: nr }, (_, index) => ({
      index,
      nrVectors: 1,
      hardware: { write: (msg: MsiMsg) => write(index, msg) },
    }));
    return msiDomainAllocIrqs(this.#irqs, this, specs).map((desc) => desc.virq);
  }

  /** @throws LinuxError EBUSY while a vector has a handler @linux platform_msi_domain_free_irqs */
  disableMsi(): void {
    msiDomainFreeIrqs(this.#irqs, this);
  }
}

// Found or made: every platform device of one controller shares the domain.
function platformMsiDomain(irqs: IrqCore, controller: FirmwareNode): IrqDomain {
  const found = irqs.findDomain(controller, 'platform-msi');
  if (found) return found;
  const numbers = new Map<Device, number>();
  const domain = createMsiDomain(irqs, irqs.requireDomain(controller, 'msi-parent'), {
    name: `${controller.path} platform-MSI`,
    busToken: 'platform-msi',
    info: {
      flags: 0,
      chip,
      hwirqOf: ({ device, index }) => {
        const number = numbers.get(device) ?? numbers.size;
        numbers.set(device, number);
        return number * MAX_DEV_MSIS + index;
      },
    },
  });
  irqs.aliasDomain(controller, 'platform-msi', domain);
  return domain;
}
