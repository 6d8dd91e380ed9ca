// SPDX-License-Identifier: Apache-2.0

import type { Device } from '../contracts/device.js';
import type { MsiMsg } from '../irq/irq-chip.js';

/** One MSI capability entry of a device: an MSI-X vector, or a block of 2^n MSIs that share an address. @linux struct msi_desc */
export interface MsiDesc {
  readonly device: Device;
  /** MSI-X table index; 0 for MSI; the index a platform device gives. */
  readonly index: number;
  /** Interrupts it stands for: more than 1 for multi-MSI only. */
  readonly nrVectors: number;
  /** The first of them; 0 while none is allocated. */
  virq: number;
  /** What is programmed in the device. */
  readonly msg: MsiMsg;
  /** How the bus programs the device. */
  readonly hardware: MsiHardware;
}

/** The device's side of one MsiDesc. */
export interface MsiHardware {
  write(msg: MsiMsg): void;
  /** Blocks or lets through vector `offset` of the desc; missing where the device cannot. */
  setMasked?(offset: number, masked: boolean): void;
}
