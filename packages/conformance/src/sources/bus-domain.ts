// SPDX-License-Identifier: Apache-2.0
// What stands for a bus's MSI domain: its vectors are numbered by device, and nothing is masked at the device.

import { createMsiDomain, MSI_FLAG } from '@irqkit/core';
import type { FirmwareNode, IrqCore, IrqDomain } from '@irqkit/core';

/** As many as PCIe's MSI-X has at most. */
export const MOST_VECTORS = 2048;

const BUS_TOKEN = 'conformance-msi';

/** On the MSI controller at `node`; one for all devices of a host. */
export function busDomain(irqs: IrqCore, node: FirmwareNode): IrqDomain {
  const found = irqs.findDomain(node, BUS_TOKEN);
  if (found) return found;
  const domain = createMsiDomain(irqs, irqs.requireDomain(node, 'msi-parent'), {
    name: 'conformance MSI',
    busToken: BUS_TOKEN,
    info: {
      flags: MSI_FLAG.MULTI_PCI_MSI | MSI_FLAG.PCI_MSIX,
      chip: { name: 'CONF-MSI' },
      hwirqOf: ({ device, index }) => device.requesterId * MOST_VECTORS + index,
    },
  });
  irqs.aliasDomain(node, BUS_TOKEN, domain);
  return domain;
}
