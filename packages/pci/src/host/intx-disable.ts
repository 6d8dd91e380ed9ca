// SPDX-License-Identifier: Apache-2.0

import { Command } from '../regs.js';
import type { FunctionConfig } from './function-config.js';

/** A function that sends messages must not assert its pin. @linux pci_intx */
export function setIntxDisabled(config: FunctionConfig, disabled: boolean): void {
  config.set(Command, Command.Interrupt_Disable.set(config.get(Command), disabled ? 1 : 0));
}
