// SPDX-License-Identifier: Apache-2.0
// Hardware: models on an address space, with RAM, processors and wires.

export { createBoard } from './create-board.js';
export type { Board, BoardOptions } from './board.js';
export type { BoardLog, LogEntry } from './board-log.js';
export type { BoardState } from './board-state.js';
export type { IrqInputState } from './processors.js';
export type { BoardRam, RamState } from './ram/ram.js';
export type { RawAccess } from './space/raw-access.js';
export type { WireState } from './wires/switchboard.js';
