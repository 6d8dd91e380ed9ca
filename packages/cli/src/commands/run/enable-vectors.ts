// SPDX-License-Identifier: Apache-2.0
// As many vectors as a function has and its controller gives. PCI Express Base Specification 7.7.1 and 7.7.2.

import { LinuxError } from '@irqkit/core';
import type { PciDevice } from '@irqkit/pci/host';

const CAP_ID = { MSI: 0x05, MSIX: 0x11 } as const;
const MESSAGE_CONTROL = 2;

export interface EnabledVectors {
  readonly mode: 'MSI-X' | 'MSI' | 'none';
  /** In the order of the vectors. */
  readonly virqs: readonly number[];
  readonly trouble: string | undefined;
}

/** MSI-X before MSI; fewer vectors where there is no room for all. Never throws what a controller refuses. */
export function enableVectors(device: PciDevice): EnabledVectors {
  const msix = device.findCapability(CAP_ID.MSIX);
  const msi = device.findCapability(CAP_ID.MSI);
  if (msix !== undefined) {
    const size = (device.readConfig(msix + MESSAGE_CONTROL, 2) % 2 ** 11) + 1;
    return enableMost('MSI-X', descending(size), (nr) => device.enableMsix(nr));
  }
  if (msi !== undefined) {
    const capable = Math.floor(device.readConfig(msi + MESSAGE_CONTROL, 2) / 2) % 8;
    const powers = descending(capable + 1).map((nr) => 2 ** (nr - 1));
    return enableMost('MSI', powers, (nr) => device.enableMsi(nr));
  }
  return { mode: 'none', virqs: [], trouble: 'has neither MSI-X nor MSI' };
}

function descending(from: number): number[] {
  return Array.from({ length: from }, (_, i) => from - i);
}

/** @linux pci_alloc_irq_vectors: tries again with fewer while the controller is out of room */
function enableMost(
  mode: 'MSI-X' | 'MSI',
  counts: readonly number[],
  enable: (nr: number) => readonly number[],
): EnabledVectors {
  let refused: string | undefined;
  for (const nr of counts)
    try {
      const virqs = enable(nr);
      return { mode, virqs, trouble: refused && `${nr} of ${counts[0]} vectors: ${refused}` };
    } catch (error) {
      if (!LinuxError.is(error)) throw error;
      refused ??= error.message;
      if (error.code !== 'ENOSPC') break;
    }
  return { mode: 'none', virqs: [], trouble: refused };
}
