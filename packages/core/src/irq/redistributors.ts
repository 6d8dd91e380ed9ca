// SPDX-License-Identifier: Apache-2.0
// What a GICv3 driver offers the drivers of its ITSs. Source: Arm IHI 0069, chapters 5 and 12.

import type { MmioRegion } from '../contracts/bus.js';
import type { SupplierToken } from '../host/suppliers.js';

/** One processor's redistributor. */
export interface Redistributor {
  readonly cpu: number;
  /** RD_base: the 64 KiB control frame. */
  readonly frame: MmioRegion;
  /** GICR_TYPER.Processor_Number: what RDbase is in ITS commands where GITS_TYPER.PTA is 0. */
  readonly processorNumber: number;
}

/** @linux struct rdists */
export interface Redistributors {
  /** By processor. */
  readonly byCpu: readonly Redistributor[];
  /** GICD_TYPER.IDbits + 1. */
  readonly idBits: number;
  /** GICD_TYPER.LPIS, and GICR_TYPER.PLPIS of every redistributor. */
  readonly hasLpis: boolean;
  /** Processors that take interrupts now, ascending. */
  readonly online: readonly number[];
  /** Calls back when a processor comes or goes; returns the removal. @linux cpuhp_setup_state */
  onHotplug(callback: (cpu: number, online: boolean) => void): () => void;
}

export const REDISTRIBUTORS: SupplierToken<Redistributors> = Symbol.for('@irqkit/core/1/REDISTRIBUTORS');
