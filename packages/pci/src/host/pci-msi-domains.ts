// SPDX-License-Identifier: Apache-2.0
// The MSI domains of one host bridge: one stands on each controller that its functions' requester ids lead to.

import { MSI_FLAG, createMsiDomain } from '@irqkit/core';
import type { Devres, IrqChip, IrqDomain, MsiDesc } from '@irqkit/core';
import { PciDevice } from './pci-device.js';
import type { PciHostBridge } from './pci-host-bridge.js';

// As /proc/interrupts shows it on top of GICv2m. Masking, moving and programming are core's.
const chip: IrqChip = { name: 'MSI' };

/** The vector's index, requester id from bit 11, domain from bit 27. @linux pci_msi_domain_calc_hwirq */
function hwirqOf(domain: number, { device, index }: MsiDesc): number {
  const id = device instanceof PciDevice ? device.id : device.requesterId;
  return domain * 2 ** 27 + id * 2 ** 11 + index;
}

export class PciMsiDomains {
  readonly #host: PciHostBridge;
  readonly #devres: Devres;
  readonly #domains = new Map<IrqDomain, IrqDomain>();

  constructor(host: PciHostBridge, devres: Devres) {
    this.#host = host;
    this.#devres = devres;
  }

  /**
   * The id and domain of a function's messages; undefined where firmware leads its id nowhere.
   * @throws LinuxError EPROBE_DEFER, ENODEV for the controller
   * @linux pci_msi_get_device_domain, pci_msi_domain_get_msi_rid
   */
  find(device: PciDevice): { readonly deviceId: number; readonly domain: IrqDomain } | undefined {
    const { node, irqs } = this.#host;
    const mapped = node.mapId('msi', device.requesterId);
    if (!mapped) return undefined;
    const parent = irqs.requireDomain(mapped.controller, 'msi-parent');
    return { deviceId: mapped.id, domain: this.#domains.get(parent) ?? this.#create(parent) };
  }

  #create(parent: IrqDomain): IrqDomain {
    const { node, irqs, domain: number } = this.#host;
    const domain = createMsiDomain(irqs, parent, {
      name: `${node.path} PCI-MSI`,
      busToken: 'pci-msi',
      info: {
        flags: MSI_FLAG.MULTI_PCI_MSI | MSI_FLAG.PCI_MSIX,
        chip,
        hwirqOf: (desc) => hwirqOf(number, desc),
      },
    });
    this.#domains.set(parent, domain);
    this.#devres.add(() => irqs.removeDomain(domain));
    return domain;
  }
}
