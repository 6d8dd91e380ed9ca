// SPDX-License-Identifier: Apache-2.0
// From an address to its leaf, table by table. Arm DDI 0487, chapter D8, "Translation process"; at each descriptor the faults
// are looked for in the order of "Memory aborts": external abort, translation, address size, access flag, permission.

import { ENTRY, HIGH_WORD, HIGH_WORD_OF, LAST_LEVEL, LOW_WORD, OF_HIGH_WORD } from '../descriptors.js';
import { NEEDED_PERMS, PERMS, stage1Key, stage2Key } from './permissions.js';
import type { Regime } from './regime.js';
import { TableMemory } from './table-memory.js';
import type { FetchDescriptor, FindWindow } from './table-memory.js';
import { WALK_FAULT } from './walk-result.js';
import type { WalkResult } from './walk-result.js';

/**
 * Stage 2 for the address of a stage 1 descriptor, a read: the physical address, or a negative number where it faults; which
 * fault it was stays with the caller.
 */
export type TranslateTable = (ipa: number) => number;

/**
 * Looks an address up, by its bits [63:32] and [31:0] as 32-bit integers of either sign. `access`: WALK_ACCESS bits. Fills
 * `result` and gives its `fault`. Never throws, whatever the tables hold.
 */
export type Walk = (regime: Regime, addressHi: number, addressLo: number, access: number, result: WalkResult) => number;

/** What is common to the levels of DESCRIPTOR.bytes. */
const LOG2_DESCRIPTOR = 3;

/**
 * `translateTable` makes stage 1 walks nested; stage 2 walks never use it. `findWindow`: memory that is read without `fetch`, in
 * which the same must stand.
 */
export function createWalker(fetch: FetchDescriptor, translateTable?: TranslateTable, findWindow?: FindWindow): Walk {
  const memory = new TableMemory(fetch, findWindow);

  return (regime, addressHi, addressLo, access, result) => {
    const { indexBits, pageBits, largeAddresses, beyondHi, beyondLo, upperWord } = regime;
    result.level = 0;
    if ((((addressHi ^ upperWord) & regime.outsideHi) | ((addressLo ^ upperWord) & regime.outsideLo)) !== 0)
      return (result.fault = WALK_FAULT.TRANSLATION);
    let tableHi = regime.ttbHi;
    let tableLo = regime.ttbLo;
    if (((tableHi & beyondHi) | (tableLo & beyondLo)) !== 0) return (result.fault = WALK_FAULT.ADDRESS_SIZE);
    /** The high words of the table descriptors on the way, or-ed. */
    let tables = 0;
    let bits = regime.startBits;
    let mask = regime.startMask;
    for (let level = regime.startLevel; ; level++) {
      result.level = level;
      // Tables are aligned to their size.
      let atHi = tableHi;
      let atLo = tableLo | ((addressBits(addressHi, addressLo, bits) & mask) << LOG2_DESCRIPTOR);
      result.descriptorHi = atHi;
      result.descriptorLo = atLo;
      if (translateTable !== undefined && regime.stage === 1) {
        const pa = translateTable(atHi * OF_HIGH_WORD + (atLo >>> 0));
        if (pa < 0) return (result.fault = WALK_FAULT.TABLE);
        atHi = (pa * HIGH_WORD_OF) | 0;
        atLo = pa | 0;
      }
      // UNIMP: big-endian tables
      const { words } = memory.window;
      const at = (atLo - memory.baseLo) >>> 2;
      let lo: number;
      let hi: number;
      if (atHi === memory.baseHi && at < words.length) {
        lo = words[at] | 0;
        hi = words[at + 1] | 0;
      } else {
        if (!memory.load(atHi, atLo)) return (result.fault = WALK_FAULT.EXTERNAL_ABORT);
        lo = memory.descriptor[0] | 0;
        hi = memory.descriptor[1] | 0;
      }
      const type = LOW_WORD.ValidAndType(lo);
      let outputHi = HIGH_WORD.OutputAddress_47_32(hi);
      if (largeAddresses) outputHi |= LOW_WORD.OutputAddress_51_48(lo) << 16;
      if (type === ENTRY.TABLE_OR_PAGE && level !== LAST_LEVEL) {
        tableHi = outputHi;
        tableLo = lo & (-1 << pageBits);
        if (((tableHi & beyondHi) | (tableLo & beyondLo)) !== 0) return (result.fault = WALK_FAULT.ADDRESS_SIZE);
        tables |= hi;
        bits -= indexBits;
        mask = regime.indexMask;
        continue;
      }
      const leafType = level === LAST_LEVEL ? ENTRY.TABLE_OR_PAGE : ENTRY.BLOCK;
      if (type !== leafType || ((regime.leafLevels >>> level) & 1) === 0)
        return (result.fault = WALK_FAULT.TRANSLATION);
      const offsetHi = bits > 32 ? (1 << (bits - 32)) - 1 : 0;
      const offsetLo = bits < 32 ? (1 << bits) - 1 : -1;
      outputHi &= ~offsetHi;
      const outputLo = lo & ~offsetLo;
      if (((outputHi & beyondHi) | (outputLo & beyondLo)) !== 0) return (result.fault = WALK_FAULT.ADDRESS_SIZE);
      result.paHi = outputHi | (addressHi & offsetHi);
      result.paLo = outputLo | (addressLo & offsetLo);
      result.leafBits = bits;
      result.stage = regime.stage;
      result.leaf = lo;
      const key = regime.stage === 1 ? stage1Key(lo, hi, tables & regime.hierarchyMask) : stage2Key(lo, hi);
      const perms = PERMS[regime.permsAt + key];
      result.perms = perms;
      // UNIMP: hardware update of the Access flag and dirty state (FEAT_HAFDBS)
      if (LOW_WORD.AF(lo) === 0 && regime.accessFlagFaults) return (result.fault = WALK_FAULT.ACCESS_FLAG);
      return (result.fault = (perms & NEEDED_PERMS[access & 7]) === 0 ? WALK_FAULT.PERMISSION : WALK_FAULT.NONE);
    }
  };
}

/** A 64-bit address from bit `from` (12 or more) up, as far as its lowest 20 bits go at least. */
function addressBits(hi: number, lo: number, from: number): number {
  return from >= 32 ? hi >>> (from - 32) : (lo >>> from) | (hi << (32 - from));
}
