// SPDX-License-Identifier: Apache-2.0
// Saving and restoring a board: RAM, models, wires and what the processors have yet to see.

import { LinuxError } from '@irqkit/core';
import type { Firmware, State } from '@irqkit/core';
import type { Models } from './models.js';
import type { IrqInputState, Processors } from './processors.js';
import type { Ram, RamState } from './ram/ram.js';
import type { AddressSpace } from './space/address-space.js';
import type { Switchboard, WireState } from './wires/switchboard.js';

const VERSION = 1;

/** Structured-cloneable. */
export interface BoardState extends State {
  /** What tells boards apart: processors, RAM, and where models stand. */
  readonly board: string;
  readonly ram: RamState;
  readonly models: Readonly<Record<string, State>>;
  readonly wires: WireState;
  readonly irqInputs: IrqInputState;
}

/** The parts that have a state. */
export interface StatefulParts {
  readonly firmware: Firmware;
  readonly ram: Ram;
  readonly space: AddressSpace;
  readonly models: Models;
  readonly wires: Switchboard;
  readonly cpus: Processors;
}

/** @throws LinuxError EBUSY inside an access */
export function saveBoard(parts: StatefulParts): BoardState {
  checkIdle(parts.cpus);
  return {
    version: VERSION,
    board: identityOf(parts),
    ram: parts.ram.save(),
    models: Object.fromEntries([...parts.models.byPath].map(([path, model]) => [path, model.save()])),
    wires: parts.wires.save(),
    irqInputs: parts.cpus.save(),
  };
}

/** @throws LinuxError EINVAL, EBUSY, with the board as it was */
export function restoreBoard(parts: StatefulParts, state: BoardState): void {
  checkIdle(parts.cpus);
  if (state.version !== VERSION) throw new LinuxError('EINVAL', `board: state of version ${state.version}`);
  if (state.board !== identityOf(parts)) throw new LinuxError('EINVAL', 'board: state of another board');
  const before = saveBoard(parts);
  try {
    putBack(parts, state);
  } catch (error) {
    putBack(parts, before);
    throw error;
  }
  parts.cpus.deliverLatched();
}

// Levels are part of the state, so models that drive their lines again while they are restored drive nothing.
function putBack(parts: StatefulParts, state: BoardState): void {
  const { ram, space, models, wires, cpus } = parts;
  space.forget();
  wires.muted = true;
  cpus.muted = true;
  try {
    if (!ram.restore(state.ram)) throw new LinuxError('EINVAL', 'board: RAM that this board does not hold');
    for (const [path, model] of models.byPath) {
      const saved = state.models[path];
      if (saved === undefined) throw new LinuxError('EINVAL', `${path}: no state of this model`);
      model.restore(saved);
    }
    wires.restore(state.wires, (path) => parts.firmware.find(path));
    cpus.restore(state.irqInputs);
  } finally {
    wires.muted = false;
    cpus.muted = false;
  }
}

function checkIdle(cpus: Processors): void {
  if (cpus.busy) throw new LinuxError('EBUSY', 'board: neither saved nor restored inside an access');
}

function identityOf({ models, ram, cpus }: StatefulParts): string {
  return JSON.stringify({
    cpus: cpus.mpidr,
    ram: ram.regions.map(({ base, sizeBytes }) => [base, sizeBytes]),
    models: [...models.byPath.keys()].sort(),
  });
}
