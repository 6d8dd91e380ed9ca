// SPDX-License-Identifier: Apache-2.0
// Register and table fields by bit range, and arithmetic on addresses held as doubles.

export { field } from './field.js';
export type { Field } from './field.js';
export { word, addr } from './word.js';
export type { Word, Addr } from './word.js';
export {
  alignDown,
  alignUp,
  highWord,
  isAligned,
  isPowerOfTwo,
  lowWord,
  overlaps,
  pageOf,
  pagesTouched,
} from './align.js';
export { hex } from './hex.js';
