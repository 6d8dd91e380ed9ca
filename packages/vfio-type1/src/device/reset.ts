// SPDX-License-Identifier: Apache-2.0
// Resetting one function: which way it can be done, and doing it with its configuration put back. Source: the behaviour of
// Linux 6.1 pci_reset_fn_methods, pci_dev_save_and_disable, pci_restore_state.

import type { PciDevice } from '@irqkit/pci/host';
import {
  AF_Capabilities,
  AF_Control,
  Base_Address,
  CAP_ID,
  Cache_Line_Size,
  Command,
  Device_Capabilities,
  Device_Control,
  Interrupt_Line,
  Latency_Timer,
  PM_Control_Status,
} from './config/config-regs.js';

const POWER_STATE = { D0: 0, D3HOT: 3 } as const;

/** The first way that the function offers; undefined where it has none. */
function resetMethod(device: PciDevice): (() => void) | undefined {
  const { config } = device;
  const express = device.findCapability(CAP_ID.EXPRESS);
  if (express !== undefined && Device_Capabilities.Function_Level_Reset(config.get(Device_Capabilities, express)))
    return () => {
      const control = config.get(Device_Control, express);
      config.set(Device_Control, Device_Control.Initiate_Function_Level_Reset.set(control, 1), express);
    };
  const advanced = device.findCapability(CAP_ID.ADVANCED_FEATURES);
  const able = advanced === undefined ? 0 : config.get(AF_Capabilities, advanced);
  if (AF_Capabilities.Function_Level_Reset(able) && AF_Capabilities.Transactions_Pending(able))
    return () => config.set(AF_Control, AF_Control.Initiate_FLR.mask, advanced);
  const power = device.findCapability(CAP_ID.POWER_MANAGEMENT);
  if (power !== undefined && !PM_Control_Status.No_Soft_Reset(config.get(PM_Control_Status, power)))
    return () => {
      const control = config.get(PM_Control_Status, power);
      for (const state of [POWER_STATE.D3HOT, POWER_STATE.D0])
        config.set(PM_Control_Status, PM_Control_Status.PowerState.set(control, state), power);
    };
  // UNIMP: resets of a whole bus or slot
  return undefined;
}

/** @linux vfio_pci_core_device.reset_works */
export function canReset(device: PciDevice): boolean {
  return resetMethod(device) !== undefined;
}

/**
 * Resets the function by the way it offers; none is no error. It is quiet meanwhile, and its configuration afterwards what it was.
 * @linux pci_try_reset_function
 */
export function resetFunction(device: PciDevice): void {
  const restore = saveState(device);
  device.config.set(Command, Command.Interrupt_Disable.mask);
  resetMethod(device)?.();
  restore();
}

/** Remembers what a reset clears in the header. Returns the way back. @linux pci_save_state, pci_restore_state */
export function saveState({ config }: PciDevice): () => void {
  const bars = Array.from({ length: Base_Address.count }, (_, i) => config.get(Base_Address, 4 * i));
  const registers = [Cache_Line_Size, Latency_Timer, Interrupt_Line, Command].map((register) => ({
    register,
    value: config.get(register),
  }));
  return () => {
    bars.forEach((value, i) => config.set(Base_Address, value, 4 * i));
    for (const { register, value } of registers) config.set(register, value);
  };
}
