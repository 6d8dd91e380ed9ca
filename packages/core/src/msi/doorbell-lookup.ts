// SPDX-License-Identifier: Apache-2.0

import type { MsiDoorbellInfo } from '../contracts/doorbell.js';
import type { IrqData } from '../irq/irq-chip.js';

/**
 * The doorbell of an interrupt: from the device's end towards the root, the first chip that names one.
 * @linux msi_doorbell_info through irq_data (v11)
 */
export function lookupDoorbell(irqData: IrqData): MsiDoorbellInfo | undefined {
  for (let data: IrqData | undefined = irqData; data; data = data.parent) {
    const info = data.chip.msiDoorbellInfo?.(data);
    if (info) return info;
  }
  return undefined;
}
