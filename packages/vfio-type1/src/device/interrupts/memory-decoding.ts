// SPDX-License-Identifier: Apache-2.0

import type { PciDevice } from '@irqkit/pci/host';
import { Command } from '../config/config-regs.js';

/**
 * Runs `work` with memory decoding on, which user space may have switched off, and puts the Command register back: with
 * Interrupt Disable as it was before messages were enabled or disabled. Where that fails, `undo` takes back what was done.
 * @linux vfio_pci_memory_lock_and_enable, vfio_pci_memory_unlock_and_restore
 */
export function withMemoryDecoding<T>({ config }: PciDevice, work: () => T, undo?: () => void): T {
  const command = config.get(Command);
  try {
    if (!Command.Memory_Space_Enable(command)) config.set(Command, Command.Memory_Space_Enable.set(command, 1));
    const done = work();
    config.set(Command, command);
    return done;
  } catch (error) {
    undo?.();
    config.set(Command, command);
    throw error;
  }
}
