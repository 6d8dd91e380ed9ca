// SPDX-License-Identifier: Apache-2.0
// The walk that is common, unrolled: stage 1 alone, tables of 4 KiB within 4 GiB, lower addresses of 32 to 48 bits. It finds
// what `createWalker` finds, or gives up: then that one says why. Arm DDI 0487, chapter D8, "Translation process".

import { field } from '@irqkit/bits';
import { ENTRY, HIGH_WORD, LOW_WORD } from '../descriptors.js';
import { PERMS, stage1Key } from './permissions.js';
import type { Regime } from './regime.js';
import { TableMemory } from './table-memory.js';
import type { FindWindow } from './table-memory.js';

/** What a quick walk needs of a regime: so many integers at a place of an array. */
export const QUICK_WORDS = 3;
/** The first of them; 0 where there is no quick walk. The others are the words of the first table's address, low and high. */
const SHAPE = {
  /** Sizes of addresses less 32 bits. */
  inputBits: field(4, 0),
  outputBits: field(9, 5),
  /** Where its permissions begin in PERMS. */
  permsAt: field(17, 10),
  fromLevel0: field(18),
  accessFlagFaults: field(19),
  hierarchyDisabled: field(20),
  valid: field(21),
} as const;

/** A translation in two words: PA[43:12], then these. */
export const TRANSLATION = {
  PA_51_44: field(7, 0),
  /** WALK_PERM */
  perms: field(13, 8),
  /** log2 of the bytes that the leaf maps. */
  leafBits: field(19, 14),
  /** nG is 0. */
  global: field(20),
} as const;

/**
 * Looks up the address of bits [63:32] and [31:0] by what `planQuickWalk` put into `plans` at `at`. 0 with the TRANSLATION in
 * `into` at `to`; -1, with nothing done, where it gives up or the leaf lacks permissions of `needs`, which are in their place.
 */
export type QuickWalk = (
  plans: Int32Array,
  at: number,
  hi: number,
  lo: number,
  needs: number,
  into: Int32Array,
  to: number,
) => number;

/** Puts a regime's words into `plans` at `at`. */
export function planQuickWalk(regime: Regime | undefined, plans: Int32Array, at: number): void {
  plans.fill(0, at, at + QUICK_WORDS);
  if (regime === undefined) return;
  const { stage, pageBits, inputBits, outputBits, upper, startLevel } = regime;
  if (stage !== 1 || pageBits !== 12 || upper || startLevel > 1 || inputBits < 32 || !(outputBits >= 32)) return;
  if (((regime.ttbHi & regime.beyondHi) | (regime.ttbLo & regime.beyondLo)) !== 0) return;
  let shape = SHAPE.inputBits.set(SHAPE.valid.mask, inputBits - 32);
  shape = SHAPE.outputBits.set(shape, outputBits - 32);
  shape = SHAPE.permsAt.set(shape, regime.permsAt);
  shape = SHAPE.fromLevel0.set(shape, Number(startLevel === 0));
  shape = SHAPE.accessFlagFaults.set(shape, Number(regime.accessFlagFaults));
  shape = SHAPE.hierarchyDisabled.set(shape, Number(regime.hierarchyDisabled));
  plans[at] = shape;
  plans[at + 1] = regime.ttbLo;
  plans[at + 2] = regime.ttbHi;
}

/** `findWindow`: where tables are read; without it, or outside its windows, a walk gives up. */
export function createQuickWalk(findWindow?: FindWindow): QuickWalk {
  const memory = new TableMemory(() => false, findWindow);
  // Taken out of their modules once: V8 looks an import up, and checks it, at each use.
  const perms = PERMS;
  const keyOf = stage1Key;
  const { Valid, ValidAndType, AF, nG } = LOW_WORD;
  const { OutputAddress_47_32 } = HIGH_WORD;
  const { TABLE_OR_PAGE } = ENTRY;
  const { fromLevel0, accessFlagFaults, hierarchyDisabled, outputBits, permsAt } = SHAPE;
  const outputBitsAt = outputBits.lo;
  const permsBit = TRANSLATION.perms.lo;
  const leafBitsBit = TRANSLATION.leafBits.lo;
  const globalBit = TRANSLATION.global.lo;

  return (plans, at, hi, lo, needs, into, to) => {
    const shape = plans[at];
    // Shifts take five bits of their count.
    if (shape === 0 || hi >>> shape !== 0) return -1;
    const tableHi = plans[at + 2];
    /** High words: of all tables or-ed, and where those of their addresses are not the first one's. */
    let tables = 0;
    let beyond = 0;
    let leafLo = plans[at + 1];
    if (fromLevel0(shape) === 1) {
      const word = memory.wordAt(tableHi, leafLo | ((hi >>> 4) & 0xff8));
      if (word < 0) return -1;
      const { words } = memory.window;
      leafLo = words[word] | 0;
      tables = words[word + 1] | 0;
      if (ValidAndType(leafLo) !== TABLE_OR_PAGE) return -1;
      beyond = tables ^ tableHi;
      leafLo &= -0x1000;
    }
    let word = memory.wordAt(tableHi, leafLo | (((hi << 5) | (lo >>> 27)) & 0xff8));
    if (word < 0) return -1;
    let { words } = memory.window;
    leafLo = words[word] | 0;
    let leafHi = words[word + 1] | 0;
    let leafBits = 30;
    if (ValidAndType(leafLo) === TABLE_OR_PAGE) {
      tables |= leafHi;
      beyond |= leafHi ^ tableHi;
      word = memory.wordAt(tableHi, (leafLo & -0x1000) | ((lo >>> 18) & 0xff8));
      if (word < 0) return -1;
      ({ words } = memory.window);
      leafLo = words[word] | 0;
      leafHi = words[word + 1] | 0;
      leafBits = 21;
      if (ValidAndType(leafLo) === TABLE_OR_PAGE) {
        tables |= leafHi;
        beyond |= leafHi ^ tableHi;
        word = memory.wordAt(tableHi, (leafLo & -0x1000) | ((lo >>> 9) & 0xff8));
        if (word < 0) return -1;
        ({ words } = memory.window);
        leafLo = words[word] | 0;
        leafHi = words[word + 1] | 0;
        leafBits = 12;
        if (ValidAndType(leafLo) !== TABLE_OR_PAGE) return -1;
      }
    }
    const outputHi = OutputAddress_47_32(leafHi);
    if (OutputAddress_47_32(beyond) !== 0 || outputHi >>> (shape >>> outputBitsAt) !== 0) return -1;
    if (Valid(leafLo) === 0 || (AF(leafLo) === 0 && accessFlagFaults(shape) === 1)) return -1;
    const key = keyOf(leafLo, leafHi, hierarchyDisabled(shape) === 1 ? 0 : tables);
    const global = (nG(leafLo) ^ 1) << globalBit;
    const allowed = perms[permsAt(shape) + key] << permsBit;
    const flags = (outputHi >>> 12) | allowed | (leafBits << leafBitsBit) | global;
    if ((flags & needs) !== needs) return -1;
    const offset = (1 << leafBits) - 1;
    into[to] = (outputHi << 20) | (((leafLo & ~offset) | (lo & offset)) >>> 12);
    into[to + 1] = flags;
    return 0;
  };
}
