// SPDX-License-Identifier: Apache-2.0

import type { MmioRegion, SystemRegisters } from '@irqkit/core';
import type { PrivateFrames } from './find-redistributors.js';

/** What the parts of one GICv3 driver share. */
export interface GicState {
  /** The node's path. */
  readonly path: string;
  readonly gicd: MmioRegion;
  readonly sysregs: SystemRegisters;
  /** By processor. */
  readonly frames: readonly PrivateFrames[];
  /** MPIDR affinity of each processor. */
  readonly mpidr: readonly number[];
  /** INTIDs below the extended ranges, and how many extended ones there are. */
  readonly nrIrqs: number;
  readonly nrExtendedSpis: number;
  readonly nrExtendedPpis: number;
  /** GICD_TYPER.IDbits + 1 */
  readonly idBits: number;
  readonly hasLpis: boolean;
  /** True where GICR_WAKER is to be left alone. */
  readonly skipsWaker: boolean;
  /** The processor that runs now. */
  readonly currentCpu: () => number;
  readonly isOnline: (cpu: number) => boolean;
}
