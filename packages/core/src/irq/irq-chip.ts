// SPDX-License-Identifier: Apache-2.0
// What an interrupt controller's driver implements, and the per-level data of one interrupt.

import type { MsiDoorbellInfo } from '../contracts/doorbell.js';
import type { Iova, PhysAddr } from '../contracts/address.js';
import type { MsiDesc } from '../msi/msi-desc.js';
import type { IrqDomain } from './irq-domain.js';

/** @linux IRQ_TYPE_NONE, IRQ_TYPE_EDGE_RISING … (the values of a devicetree's interrupt flags) */
export const IRQ_TYPE = {
  NONE: 0,
  EDGE_RISING: 1,
  EDGE_FALLING: 2,
  EDGE_BOTH: 3,
  LEVEL_HIGH: 4,
  LEVEL_LOW: 8,
} as const;

/** @linux struct msi_msg. The address is an IOVA where an IOMMU translates the device's messages. */
export interface MsiMsg {
  address: PhysAddr | Iova;
  data: number;
}

/** What all levels of one interrupt share. @linux struct irq_common_data */
export interface IrqCommonData {
  readonly virq: number;
  /** Processors it may be delivered to, ascending. */
  affinity: readonly number[];
  /** Processors it is delivered to now. */
  effectiveAffinity: readonly number[];
  /** IRQ_TYPE flags as set last. */
  type: number;
  msiDesc: MsiDesc | undefined;
}

/** One level of one interrupt: a controller's own view of it. @linux struct irq_data */
export interface IrqData {
  readonly virq: number;
  readonly common: IrqCommonData;
  readonly domain: IrqDomain;
  /** The level nearer to the processors. */
  readonly parent: IrqData | undefined;
  /** The number within `domain`; -1 until its alloc has set it. */
  hwirq: number;
  /** Set by the domain's alloc. */
  chip: IrqChip;
  chipData: unknown;
  activated: boolean;
}

/** A controller's operations. Each missing one falls to the frameworks' default. @linux struct irq_chip */
export interface IrqChip {
  /** As /proc/interrupts shows it. */
  readonly name: string;
  /** @linux irq_chip.irq_mask */
  mask?(data: IrqData): void;
  /** @linux irq_chip.irq_unmask */
  unmask?(data: IrqData): void;
  /** @linux irq_chip.irq_ack */
  ack?(data: IrqData): void;
  /** @linux irq_chip.irq_eoi */
  eoi?(data: IrqData): void;
  /** @throws LinuxError EINVAL for a type it does not have. @linux irq_chip.irq_set_type */
  setType?(data: IrqData, type: number): void;
  /**
   * Moves the interrupt to one of `cpus` and sets `data.common.effectiveAffinity`; neither allocates nor waits.
   * @throws LinuxError EINVAL where none of them will do
   * @linux irq_chip.irq_set_affinity
   */
  setAffinity?(data: IrqData, cpus: readonly number[]): void;
  /** Raises it again by software. @linux irq_chip.irq_retrigger */
  retrigger?(data: IrqData): void;
  /** Fills `msg` with what a device must write to raise it. @linux irq_chip.irq_compose_msi_msg */
  composeMsiMsg?(data: IrqData, msg: MsiMsg): void;
  /** Programs the device; an all-zero message silences it. @linux irq_chip.irq_write_msi_msg */
  writeMsiMsg?(data: IrqData, msg: MsiMsg): void;
  /** The doorbell its messages hit. @linux irq_chip.msi_doorbell_info (v11) */
  msiDoorbellInfo?(data: IrqData): MsiDoorbellInfo | undefined;
  /** Raises a per-CPU interrupt on each of `cpus`. @linux irq_chip.ipi_send_mask */
  ipiSend?(data: IrqData, cpus: readonly number[]): void;
}
