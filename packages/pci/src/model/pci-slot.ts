// SPDX-License-Identifier: Apache-2.0

import { LinuxError } from '@irqkit/core';
import { PciFunctionModel } from './pci-function-model.js';

/** What a board's owner plugs into a PCI bus: a function at its place and, for a bridge, what is behind it. */
export interface PciSlot {
  /** 0 to 31. */
  readonly device: number;
  /** 0 to 7; 0 when left out. */
  readonly function?: number;
  readonly model: PciFunctionModel;
  readonly behind?: readonly PciSlot[];
}

/** @throws LinuxError EINVAL for a thing that is no slot; `place` begins the message */
export function asPciSlots(plugged: readonly unknown[], place: string): readonly PciSlot[] {
  for (const [i, slot] of plugged.entries())
    if (typeof slot !== 'object' || slot === null || !('model' in slot) || !(slot.model instanceof PciFunctionModel))
      throw new LinuxError('EINVAL', `${place}: plugged[${i}] is no PciSlot`);
  return plugged as readonly PciSlot[];
}
