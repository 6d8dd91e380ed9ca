// SPDX-License-Identifier: Apache-2.0
// What a board is made of and what it offers.

import type { Bus, Firmware, IrqLine, Model, Plugin, Silicon } from '@irqkit/core';
import type { BoardLog, LogEntry } from './board-log.js';
import type { BoardState } from './board-state.js';
import type { BoardRam } from './ram/ram.js';
import type { RawAccess } from './space/raw-access.js';

export interface BoardOptions {
  readonly firmware: Firmware;
  /** Whose models are built for the available nodes that they match. Their order does not matter. */
  readonly plugins: readonly Plugin[];
  /** What firmware does not say, by node path, over the plugins' defaults. */
  readonly silicon?: Readonly<Record<string, Silicon>>;
  /** What is plugged into bus nodes, by node path, in the bus package's own terms. */
  readonly plugged?: Readonly<Record<string, readonly unknown[]>>;
  /** Hears of each message as it is logged. */
  readonly log?: (entry: LogEntry) => void;
  /** How much RAM may be written before DMA memory runs out and stores are lost; 1 GiB where it is not given. */
  readonly ramBytesLimit?: number;
}

/** Hardware: models on an address space. */
export interface Board {
  /** What `createHost` runs on. */
  readonly bus: Bus;
  readonly ram: BoardRam;
  /** By node path, in the order of building. */
  readonly models: ReadonlyMap<string, Model>;
  readonly log: BoardLog;
  readonly access: RawAccess;
  /**
   * A wire to an input of the interrupt controller at `path`, for its owner to drive; the same one for the same specifier.
   * @throws LinuxError ENODEV where nothing models a controller there, EINVAL where the specifier names no input
   */
  wire(path: string, specifier: readonly number[]): IrqLine;
  /** All state of the hardware; what hosts hold, such as allocated DMA memory, is not in it. @throws LinuxError EBUSY inside an access */
  save(): BoardState;
  /**
   * DMA buffers stay where they are and show the restored RAM. After an error the board is as it was.
   * @throws LinuxError EINVAL for a state of another board or version, EBUSY inside an access
   */
  restore(state: BoardState): void;
  /** Disposes the models, last built first. Nothing answers afterwards. Twice is once. */
  dispose(): void;
}
