// SPDX-License-Identifier: Apache-2.0
// Translation tables for models: walked in memory that software owns.

export { createQuickWalk, planQuickWalk, QUICK_WORDS, TRANSLATION } from './quick-walk.js';
export type { QuickWalk } from './quick-walk.js';
export { createRegime, stage2StartLevel } from './regime.js';
export type { Regime, RegimeOptions } from './regime.js';
export type { FetchDescriptor, FindWindow } from './table-memory.js';
export { walkResult, WALK_ACCESS, WALK_FAULT, WALK_PERM } from './walk-result.js';
export type { WalkResult } from './walk-result.js';
export { createWalker } from './walker.js';
export type { TranslateTable, Walk } from './walker.js';
