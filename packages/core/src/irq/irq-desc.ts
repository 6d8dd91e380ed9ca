// SPDX-License-Identifier: Apache-2.0
// One interrupt as software sees it: its levels, its handlers, its counts.

import type { FlowHandler } from './flow.js';
import type { IrqData } from './irq-chip.js';

/** Called with interrupts disabled, on the processor that took it. Returns false where the interrupt was not its own. */
export type IrqHandler = (virq: number, cpu: number) => boolean;

export interface IrqAction {
  readonly handler: IrqHandler;
  readonly name: string;
}

/** @linux struct irq_desc */
export interface IrqDesc {
  readonly virq: number;
  /** The outermost level, the device's end. */
  readonly data: IrqData;
  flow: FlowHandler;
  readonly actions: IrqAction[];
  /** Enabled at 0. */
  disableDepth: number;
  /** It arrived while disabled and is to be raised again when enabled. */
  pending: boolean;
  /** Deliveries taken by each processor. */
  readonly counts: Float64Array;
  /** Deliveries since `unhandled` was last cleared, and how many of them no handler owned. */
  seen: number;
  unhandled: number;
}
