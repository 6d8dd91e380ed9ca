// SPDX-License-Identifier: Apache-2.0
// The machine most tests use: an interrupt controller, registers, a device on a bus of requester ids, an IOMMU.

import { physAddr } from '@irqkit/core';
import type { Model, MmioRegion } from '@irqkit/core';
import { createBoard } from '@irqkit/board';
import type { Board, BoardOptions } from '@irqkit/board';
import { Dev, Intc, Iommu, Regs, toys } from './models.js';
import { firmware, node } from './tree.js';
import type { TreeFacts } from './tree.js';

export const INTC = 0x1000;
export const REGS = 0x2000;
export const DEV = 0x3000;
/** Behind the IOMMU. */
export const GUARDED = 0x4000;

/** Requester ids of DEV 0-0xff have DeviceIDs from 0x100; those of GUARDED 0-0xf StreamIDs from 0x40 too. */
export function machineTree(facts: TreeFacts = {}) {
  return firmware(
    facts,
    node('intc@1000', {
      compatible: 'toy,intc',
      reg: [INTC, 0x1000],
      phandle: [1],
      'interrupt-controller': [],
      '#interrupt-cells': [1],
    }),
    node('regs@2000', { compatible: ['vendor,regs-v2', 'toy,regs'], reg: [REGS, 0x100] }),
    node('dev@3000', {
      compatible: 'toy,dev',
      reg: [DEV, 0x100],
      'interrupt-parent': [1],
      interrupts: [5],
      'msi-map': [0, 1, 0x100, 0x100],
    }),
    node('dev@4000', {
      compatible: 'toy,dev',
      reg: [GUARDED, 0x100],
      'interrupt-parent': [1],
      interrupts: [5],
      'msi-map': [0, 1, 0x200, 0x100],
      'iommu-map': [0, 2, 0x40, 0x10],
    }),
    node('iommu', {
      compatible: 'toy,iommu',
      phandle: [2],
      '#iommu-cells': [1],
      'interrupt-parent': [1],
      interrupts: [7],
    }),
  );
}

export interface Machine {
  readonly board: Board;
  readonly intc: Intc;
  readonly regs: Regs;
  readonly dev: Dev;
  readonly guarded: Dev;
  readonly iommu: Iommu;
  readonly map: (base: number, sizeBytes?: number) => MmioRegion;
}

export function machine(facts: TreeFacts = {}, options: Partial<BoardOptions> = {}): Machine {
  const board = createBoard({ firmware: machineTree(facts), plugins: [toys], ...options });
  return {
    board,
    intc: modelAt(board, '/intc@1000', Intc),
    regs: modelAt(board, '/regs@2000', Regs),
    dev: modelAt(board, '/dev@3000', Dev),
    guarded: modelAt(board, '/dev@4000', Dev),
    iommu: modelAt(board, '/iommu', Iommu),
    map: (base, sizeBytes = 0x100) => board.bus.map({ base: physAddr(base), sizeBytes }),
  };
}

export function modelAt<M extends Model>(board: Board, path: string, type: abstract new (...args: never[]) => M): M {
  const model = board.models.get(path);
  if (!(model instanceof type)) throw new Error(`${path}: no ${type.name}`);
  return model;
}

/** The messages that a board has logged. */
export function messages(board: Board): string[] {
  return board.log.entries.map(({ path, message }) => `${path}: ${message}`);
}
