// SPDX-License-Identifier: Apache-2.0
// Translation tables for models: walked in memory that software owns.

export { createRegime, stage2StartLevel } from './regime.js';
export type { Regime, RegimeOptions } from './regime.js';
export { walkResult, WALK_ACCESS, WALK_FAULT, WALK_PERM } from './walk-result.js';
export type { WalkResult } from './walk-result.js';
export { createWalker } from './walker.js';
export type { FetchDescriptor, TranslateTable, Walk } from './walker.js';
