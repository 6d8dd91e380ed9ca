// SPDX-License-Identifier: Apache-2.0

import type { Device } from '../contracts/device.js';
import type { IrqChip } from '../irq/irq-chip.js';
import type { IrqDomain } from '../irq/irq-domain.js';
import type { MsiDesc } from './msi-desc.js';

/** What an MSI domain can serve. @linux MSI_FLAG_MULTI_PCI_MSI, MSI_FLAG_PCI_MSIX */
export const MSI_FLAG = { MULTI_PCI_MSI: 4, PCI_MSIX: 8 } as const;

/** A controller that MSI domains stand on. @linux struct msi_parent_ops */
export interface MsiParentOps {
  /** MSI_FLAG bits it can serve. */
  readonly supportedFlags: number;
  /** Makes room for `nr` vectors of a device before any is allocated; returns what to undo. @linux msi_domain_ops.msi_prepare */
  prepare?(domain: IrqDomain, device: Device, nr: number): () => void;
}

/** What a bus-level MSI domain is made of. @linux struct msi_domain_info */
export interface MsiDomainInfo {
  /** MSI_FLAG bits: what the bus asks for and the parent serves. */
  readonly flags: number;
  readonly chip: IrqChip;
  /** The number of a desc's first vector in this domain. @linux msi_domain_ops.get_hwirq */
  hwirqOf(desc: MsiDesc): number;
}
